import type { App, Host } from '../src/app.ts'
import type { Arrival } from '../src/gates/arrival.ts'
import { bridgedEnvironment } from './bridged-environment.ts'
import { createLineWriter } from './line-writer.ts'

export interface Listener {
  port: number
  /** Requests that are not answered to the end. */
  pending(): number
  /** Takes no new connection; resolves once the last one is closed. */
  stop(): Promise<void>
}

export type Listen = (options: {
  port: number
  hostname: string | undefined
  fetch: (request: Request, arrival: Arrival) => Promise<Response>
  /** The answer to what is no request, or to a method that a `Request` cannot have. */
  refuse: (method: string) => Promise<Response>
}) => Promise<Listener>

const EX_CONFIG = 78
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * What Bun and Node have in common: listen first, make ready behind, and on SIGTERM or SIGINT
 * say no to new traffic, finish what is in flight, and exit 0.
 */
export const runProcess = async (app: App, runtime: Host['runtime'], listen: Listen): Promise<void> => {
  const lines = createLineWriter()
  const { config, problems } = app.inspect(process.env)
  if (problems.length > 0 && config.ON_INVALID_ENV === 'exit') {
    for (const { name, reason } of problems)
      process.stderr.write(`[env-validation] FATAL ${name} ${reason}\n`)
    process.exit(EX_CONFIG)
  }

  const listener = await listen({
    port: config.PORT,
    hostname: config.environment === 'development' ? '127.0.0.1' : undefined,
    fetch: (request, arrival) => app.fetch(request, arrival),
    refuse: (method) =>
      app.fetch(new Request('http://localhost/', { method: method === 'GET' ? method : 'UNKNOWN' }), {
        target: '*',
        waitUntil: () => {},
      }),
  }).catch((error: NodeJS.ErrnoException) => {
    const taken = error.code === 'EADDRINUSE'
    process.stderr.write(
      taken
        ? `parapet: port ${config.PORT} is taken: set PORT to another one\n`
        : `parapet: cannot listen on port ${config.PORT}: ${error.code}\n`,
    )
    process.exit(1)
  })

  const { env, close } = await bridgedEnvironment(process.env, config, app.keepsData(process.env)).catch(
    (error: Error) => {
      process.stderr.write(`parapet: ${error.message}\n`)
      process.exit(1)
    },
  )
  const { log } = app.boot(env, { runtime, write: lines.write })
  log.write('info', 'system', 'listening', { port: listener.port, runtime, environment: config.environment })

  const onUnexpected = (thrown: unknown) => {
    log.write('error', 'system', 'unhandled rejection', {
      type: thrown instanceof Error ? thrown.name : typeof thrown,
    })
  }
  process.on('unhandledRejection', onUnexpected)

  await new Promise<void>((resolve) => {
    // A second signal changes nothing: the first one is being obeyed.
    process.on('SIGTERM', resolve)
    process.on('SIGINT', resolve)
  })
  app.drain()
  log.write('info', 'system', 'draining', { pending: listener.pending() })
  const deadline = Date.now() + config.SHUTDOWN_TIMEOUT_MS
  // Goes on listening for a while, so that a prober hears that this instance takes no more.
  while (listener.pending() > 0 && Date.now() < deadline - config.SHUTDOWN_TIMEOUT_MS / 2) await pause(25)
  await Promise.race([listener.stop(), pause(Math.max(0, deadline - Date.now()))])
  await close()
  log.write('info', 'system', 'stopped', { unfinished: listener.pending() })
  lines.flush()
  process.exit(0)
}
