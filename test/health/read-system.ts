import { createEventLoopDelay } from '../../adapters/event-loop-delay.ts'
import { systemChecks } from '../../adapters/system-checks.ts'

// Run by a test, under Node and Bun. Prints how each check of the system ends here.
const checks = systemChecks({ eventLoopDelayMs: createEventLoopDelay() })
const run = async (name: string): Promise<string> => {
  try {
    return ((await checks.find((check) => check.name === name)?.run()) as string | undefined) ?? 'ok'
  } catch (thrown) {
    return (thrown as { failure?: string }).failure ?? String(thrown)
  }
}
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const ends = Object.fromEntries(await Promise.all(checks.map(async ({ name }) => [name, await run(name)])))
const began = performance.now()
for (let i = 0; i < 100; i++) for (const { name } of checks) await run(name)
const perLookMs = (performance.now() - began) / 100

await pause(50)
for (const end = performance.now() + 600; performance.now() < end; );
const late = await run('event-loop')

process.stdout.write(JSON.stringify({ ran: process.versions.bun ? 'bun' : 'node', ends, late, perLookMs }))
