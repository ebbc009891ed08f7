import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readVariable } from '../src/config/config.ts'
import { VARIABLES, type Variable } from '../src/config/variables.ts'
import { banner } from './banner.ts'
import { claimPort } from './claim-port.ts'
import { developmentDirectory, type LocalServices, startLocalServices } from './local-services.ts'
import { operatorToken } from './operator-token.ts'
import { seedWhenEmpty } from './seed-when-empty.ts'
import { shownPath } from './shown-path.ts'
import { varsFile } from './vars-file.ts'
import { startWrangler } from './wrangler.ts'

// `npm run dev`: the local services and, over them, the worker. Here they start together and end together.

const PORT = 8787
const PATIENCE_MS = 60_000
/** What this command decides, whatever the shell that it was started from has set for other purposes. */
const DECIDED = new Set(['NODE_ENV', 'PORT', 'REDIS_URL'])

const directory = developmentDirectory()
const ending = new AbortController()
const { signal } = ending
let starting: Promise<LocalServices> | undefined
let ready = false
let wrangler: ReturnType<typeof startWrangler> | undefined

for (const reason of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(reason, () => end(0))
try {
  await start()
} catch (error) {
  const message = error instanceof Error ? error.message : String(error)
  await end(1, message.split('\n')[0])
}

async function start(): Promise<void> {
  const port = await claimPort(portOf(process.env.PORT))
  const url = `http://127.0.0.1:${port}`
  let token = ''
  starting = startLocalServices({
    dataDir: directory,
    signal,
    onEnd: ({ message }) => end(1, message),
    onEnv(services) {
      const variables = given()
      token = variables.INTERNAL_API_KEY ?? operatorToken(join(directory, 'operator-token'))
      const vars = join(directory, 'vars')
      writeFileSync(
        vars,
        varsFile({ ENABLE_CACHE: 'true', ...variables, ...services, INTERNAL_API_KEY: token }),
        { mode: 0o600 },
      )
      wrangler = startWrangler({
        port,
        vars,
        directory: join(directory, 'wrangler'),
        onEnd: (how) => end(1, `wrangler ended (${how})`),
        onBuildFailure: () => ready || end(1, 'the worker cannot be built: see above'),
      })
    },
  })
  const { env } = await starting
  const [customers] = await Promise.all([seedWhenEmpty(env), answers(`${url}/health`)])
  signal.throwIfAborted()
  ready = true
  const seconds = performance.now() / 1000
  process.stdout.write(banner({ url, env, token, customers, directory: shownPath(directory), seconds }))
}

/** Ends the worker first: its last requests may still need the services. The first reason decides. */
async function end(code: number, message?: string): Promise<void> {
  if (signal.aborted) return
  if (message !== undefined) process.stderr.write(`parapet: ${message}\n`)
  ending.abort()
  await wrangler?.close()
  await starting?.then((services) => services.close()).catch(() => {})
  process.exit(code)
}

/** Variables of the worker that are set in the shell, such as `LOG_FORMAT=json npm run dev`. */
function given(): Record<string, string> {
  return Object.fromEntries(
    Object.entries<Variable>(VARIABLES).flatMap(([name, { alias }]) => {
      const value = readVariable(process.env, name) ?? (alias && readVariable(process.env, alias))
      return value === undefined || DECIDED.has(name) ? [] : [[name, value]]
    }),
  )
}

async function answers(url: string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS
  while (!signal.aborted) {
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) }).catch(() => undefined)
    if (response?.ok) return
    if (Date.now() > deadline) throw new Error(`${url} does not answer: see above what wrangler says`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function portOf(text = ''): number {
  if (text === '') return PORT
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  process.stderr.write('parapet: PORT must be a port from 0 to 65535\n')
  process.exit(78)
}
