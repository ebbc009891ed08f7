import type { App, Host } from '../src/app.ts'
import type { Arrival } from '../src/gates/arrival.ts'
import type { Log } from '../src/log.ts'
import { bridgedEnvironment } from './bridged-environment.ts'
import { createEventLoopDelay } from './event-loop-delay.ts'
import { createLineWriter } from './line-writer.ts'
import { systemChecks } from './system-checks.ts'

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
  /** Seconds of silence after which a connection may be closed. */
  idleSeconds: number
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

  const stopping = new Promise<void>((resolve) => {
    // A second signal changes nothing: the first one is being obeyed.
    process.on('SIGTERM', resolve)
    process.on('SIGINT', resolve)
  })

  const listener = await listen({
    port: config.PORT,
    hostname: config.environment === 'development' ? '127.0.0.1' : undefined,
    idleSeconds: Math.min(255, Math.ceil(config.REQUEST_TIMEOUT_MS / 1000) + 30),
    fetch: (request, arrival) => app.fetch(request, arrival),
    refuse: (method) =>
      app.fetch(new Request('http://localhost/', { method: method === 'GET' ? method : 'UNKNOWN' }), {
        target: '*',
        waitUntil: () => {},
      }),
  }).catch(({ code }: NodeJS.ErrnoException) =>
    fail(
      code === 'EADDRINUSE'
        ? `port ${config.PORT} is taken: set PORT to another one`
        : `cannot listen on port ${config.PORT}: ${code}`,
    ),
  )

  let log: Log | undefined
  // A degraded app touches nothing outside, so that it needs no bridge.
  const bridged =
    problems.length > 0
      ? Promise.resolve({ env: process.env, close: async () => {} })
      : bridgedEnvironment(process.env, config, app.keepsData(process.env))
  const opened = bridged.then(
    ({ env, close }) => {
      const eventLoopDelayMs = createEventLoopDelay()
      log = app.boot(env, {
        runtime,
        write: lines.write,
        eventLoopDelayMs,
        checks: systemChecks({ eventLoopDelayMs }),
      }).log
      log.write('info', 'system', 'listening', {
        port: listener.port,
        runtime,
        environment: config.environment,
      })
      return close
    },
    (error: Error) => fail(error.message),
  )
  process.on('unhandledRejection', (thrown) => {
    log?.write('error', 'system', 'unhandled rejection', {
      type: thrown instanceof Error ? thrown.name : typeof thrown,
    })
  })

  await stopping
  app.drain()
  log?.write('info', 'system', 'draining', { pending: listener.pending() })
  const deadline = Date.now() + config.SHUTDOWN_TIMEOUT_MS
  const late = () => pause(Math.max(0, deadline - Date.now()))
  // Goes on listening for a while, so that a prober hears that this instance takes no more.
  while (listener.pending() > 0 && Date.now() < deadline - config.SHUTDOWN_TIMEOUT_MS / 2) await pause(25)
  await Promise.race([listener.stop(), late()])
  // What is still being started ends with this process.
  if (log) await Promise.race([opened.then((close) => close()), late()])
  log?.write('info', 'system', 'stopped', { unfinished: listener.pending() })
  lines.flush()
  process.exit(0)
}

const fail = (message: string): never => {
  process.stderr.write(`parapet: ${message}\n`)
  process.exit(1)
}
