import { answerDrive } from './driven-checks.ts'

// Run by a test, under Bun. Says on which port it drives checks.
const { port } = Bun.serve({ port: 0, hostname: '127.0.0.1', idleTimeout: 60, fetch: answerDrive })
process.stdout.write(`listening on ${port}\n`)
