import { describe } from './answer/explain.ts'
import { createGuard } from './answer/guard.ts'
import {
  type Config,
  type Environment,
  type LoadedConfig,
  loadConfig,
  type Problem,
  readVariable,
} from './config/config.ts'
import type { Arrival } from './gates/arrival.ts'
import { authenticate } from './gates/authenticate.ts'
import { blockedEndpoints, blockedPath, DESTRUCTIVE_PATHS } from './gates/blocked-endpoints.ts'
import { bodyLimit } from './gates/body-limit.ts'
import { canonicalRequest } from './gates/canonical-request.ts'
import { createTrust, parseTrustProxy } from './gates/client-address.ts'
import { closed, type Phase } from './gates/closed.ts'
import { cors } from './gates/cors.ts'
import type { Gate, Visit } from './gates/gate.ts'
import { pathMatcher } from './gates/path-pattern.ts'
import { runChecks } from './health/run-checks.ts'
import { createOperator } from './identity/operator.ts'
import { createLog, type Log } from './log.ts'
import { createReference } from './reference/reference.ts'
import { createOrigin } from './routes/origin.ts'
import { type AnyHono, createRoutes } from './routes/routes.ts'
import { createServices } from './services.ts'
import { surface } from './surface/surface.ts'
import { SURFACE, type SurfaceRow } from './surface/surface-table.ts'

export interface AppOptions {
  /** The team's own routes. Every one of them is guarded. Define them before this call. */
  routes?: AnyHono
  /** The reference API. Needs a database. */
  reference?: boolean
  /**
   * Path patterns that anyone may call. Everything else needs a principal.
   * In front of an origin the default is everything: the origin asks for credentials itself.
   */
  open?: readonly string[]
  /** More endpoints to block in production and staging, beside the destructive ones that always are. */
  blocked?: readonly string[]
  /** Path patterns that may hold encoded slashes, such as `/packages/*`. */
  encodedSlashes?: readonly string[]
  /** Gates of the team's own. They are asked last, when it is known who is asking. */
  gates?: readonly Gate[]
  surface?: readonly SurfaceRow[]
  cors?: { credentials?: boolean; maxAge?: number }
  /** Milliseconds since the epoch. */
  clock?: () => number
}

/** Both times are the same by default: an origin that is late must be named as what is late. */
const ORIGIN_GRACE_MS = 500

/** Where the app runs, as its adapter says. */
export interface Host {
  runtime: 'workers' | 'bun' | 'node'
  /** Takes one finished log line. */
  write: (line: string) => void
}

export interface BootReport {
  config: Config
  /** Critical variables at fault. While there is one, only probes answer. */
  problems: readonly Problem[]
  log: Log
}

export interface App {
  /** Checks an environment as `boot` would, and changes nothing. */
  inspect(env: Environment): LoadedConfig
  /** Whether the app needs a database in this environment. */
  keepsData(env: Environment): boolean
  /** Reads the environment and opens the house. Once per process or isolate; until then it is `starting`. */
  boot(env: Environment, host: Host): BootReport
  /** Answers one request. Never throws. */
  fetch(request: Request, arrival: Arrival): Promise<Response>
  /** What is done on a schedule: looks after the dependencies and logs what is down. */
  tick(): Promise<void>
  /** Readiness says no from now on, so that no new traffic comes. */
  drain(): void
}

/**
 * Makes the guarded app. The same one runs on Workers, Bun and Node by the adapter that it is given to.
 *
 * @example
 * ```ts
 * const routes = new Hono().get('/hello', (c) => c.json({ hello: 'world' }))
 * serve(createApp({ routes, open: ['/hello'] }))
 * ```
 */
export const createApp = (options: AppOptions = {}): App => {
  const { clock = Date.now } = options
  let opened: Exclude<Phase, 'draining'> = 'starting'
  let draining = false
  // A house that is not open stays closed while it drains.
  const phase = (): Phase => (draining && opened === 'ready' ? 'draining' : opened)
  let house: ReturnType<typeof open> | undefined
  const current = () => (house ??= open({}, { runtime: 'node', write: () => {} }))

  // In front of an origin there is no reference API: its paths belong to the origin.
  const keepsData = (env: Environment) =>
    options.reference === true && readVariable(env, 'ORIGIN_URL') === undefined
  const inspect = (env: Environment) =>
    loadConfig(env, { data: keepsData(env), credentials: options.cors?.credentials ?? true })

  function open(env: Environment, host: Host) {
    const data = keepsData(env)
    const { config, problems, warnings } = inspect(env)
    const log = createLog({
      sink: host.write,
      level: config.LOG_LEVEL,
      format: config.logFormat,
      slowRequestMs: config.SLOW_REQUEST_THRESHOLD,
      secrets: config.secretValues,
      pii: config.PII_REDACTION_ENABLED,
      clock,
    })
    const services = createServices({ config, problems, data })
    const identify = createOperator(config.INTERNAL_API_KEY)
    const trust = createTrust(
      parseTrustProxy(config.TRUST_PROXY ?? (host.runtime === 'workers' ? 'cloudflare' : 'socket')),
    )
    const routes = createRoutes({
      apps: [...(options.routes ? [options.routes] : []), ...(data ? [createReference(services)] : [])],
      fallback: config.ORIGIN_URL
        ? createOrigin({
            url: config.ORIGIN_URL,
            timeoutMs: config.ORIGIN_TIMEOUT_MS,
            trust,
            identify,
            passes: host.runtime === 'workers',
            onFailure: (thrown, { correlationId }) =>
              log.write('error', 'http', 'origin broke off', { err: describe(thrown), correlationId }),
          })
        : undefined,
      compressed: config.ENABLE_COMPRESSION && host.runtime !== 'workers',
      env,
    })

    const blocked = config.guarded ? [...DESTRUCTIVE_PATHS, ...(options.blocked ?? [])] : []
    const isBlockedPath = blockedPath(blocked)
    const isBlocked = (visit: Visit) =>
      isBlockedPath(visit.path) || (config.guarded && routes.isDestructive(visit))
    const isOpen = pathMatcher(options.open ?? (config.ORIGIN_URL ? ['/*'] : []))

    // The order of this list is the policy: each gate may end a visit, and the next sees only what it let pass.
    const gates: Gate[] = [
      canonicalRequest({ encodedSlashes: options.encodedSlashes ?? [] }),
      cors({ ...options.cors, origins: config.origins, except: isBlocked }),
      surface({
        table: options.surface ?? SURFACE,
        phase,
        checks: services.checks,
        faults: problems.map(({ name }) => name),
        identify,
        clock,
      }),
      closed(phase),
      blockedEndpoints({ isBlocked, onBlocked: (visit) => logBlocked(log, visit) }),
      bodyLimit({ limit: config.BODY_LIMIT_BYTES }),
      authenticate({ identify, isOpen: (visit) => isOpen(visit.path), unless: routes }),
      ...(options.gates ?? []),
    ]

    return {
      config,
      problems,
      warnings,
      log,
      services,
      guard: createGuard({
        gates,
        routes: routes.answer,
        log,
        hsts: config.hsts,
        guarded: config.guarded,
        timeoutMs: config.REQUEST_TIMEOUT_MS + (config.ORIGIN_URL ? ORIGIN_GRACE_MS : 0),
        clock,
      }),
    }
  }

  return {
    inspect,
    keepsData,

    boot(env, host) {
      house = open(env, host)
      const { config, problems, warnings, log } = house
      opened = problems.length > 0 ? 'degraded' : 'ready'
      for (const { name, reason } of problems) log.write('error', 'config', `${name} ${reason}`)
      for (const { name, reason } of warnings) log.write('warn', 'config', `${name} ${reason}`)
      if (host.runtime === 'workers' && config.REDIS_URL && !house.services.redis) {
        log.write('warn', 'config', 'REDIS_URL is not used on Workers: name an Upstash Redis, or a bridge')
      }
      if (!house.services.redis) {
        log.write('warn', 'config', 'no Redis: limits, switches and metrics are those of this instance alone')
      }
      return { config, problems, log }
    },

    fetch: (request, arrival) => current().guard(request, arrival),

    async tick() {
      // What is wrong was said at boot, and nothing outside is touched until it is mended.
      if (opened !== 'ready') return
      const { log, services } = current()
      const down = (await runChecks(services.checks, clock)).filter(
        ({ up, criticality }) => !up && criticality !== 'info',
      )
      for (const { name, criticality, code } of down) {
        log.write(criticality === 'critical' ? 'error' : 'warn', 'job', 'dependency is down', { name, code })
      }
    },

    drain() {
      draining = true
    },
  }
}

const logBlocked = (log: Log, { method, rawPath, correlationId, trace }: Visit) =>
  log.write('warn', 'security', 'blocked endpoint', {
    method,
    path: rawPath,
    correlationId,
    traceId: trace.traceId,
  })
