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
import { closed } from './gates/closed.ts'
import { consult } from './gates/consult.ts'
import { cors } from './gates/cors.ts'
import type { Gate, Visit } from './gates/gate.ts'
import { type OverloadLimits, overload } from './gates/overload.ts'
import { pathMatcher } from './gates/path-pattern.ts'
import type { Check } from './health/check.ts'
import { createLifecycle } from './health/lifecycle.ts'
import { createMonitor, type Monitor, type Transition } from './health/monitor.ts'
import { createOperator } from './identity/operator.ts'
import { compilePolicies, type Policy } from './limits/policy.ts'
import { createLog, type Log } from './log.ts'
import { createReference } from './reference/reference.ts'
import { createOrigin } from './routes/origin.ts'
import { type AnyHono, createRoutes } from './routes/routes.ts'
import { createServices } from './services.ts'
import { metrics } from './surface/metrics.ts'
import { probes } from './surface/probes.ts'
import { surface } from './surface/surface.ts'
import { SURFACE, type SurfaceRow } from './surface/surface-table.ts'
import { createCounters } from './telemetry/counters.ts'
import { wireLimits } from './wire-limits.ts'
import { type MaintenanceOptions, wireSwitches } from './wire-switches.ts'

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
  /**
   * Rate limits, beside the defaults `login` and `api`. One of the same name takes the place of a default.
   * See docs/limits.md.
   */
  limits?: readonly Policy[]
  /** Probes of the team's own dependencies, beside the built-in ones. See docs/health.md. */
  checks?: readonly Check[]
  /**
   * `active` asks what costs something at most once a minute, `passive` only where nothing is known or something is
   * wrong, so that a database that sleeps is left asleep. Default: `passive` on Workers, else `active`.
   */
  probing?: 'active' | 'passive'
  /** Instances that run beside each other: while Redis is away each has its part of a limit. Default 1. */
  instances?: number
  /** Sheds load past these limits with `503 OVERLOADED`. Off without. See docs/overload.md. */
  overload?: OverloadLimits
  /** Gates of the team's own. They are asked last, when it is known who is asking. */
  gates?: readonly Gate[]
  surface?: readonly SurfaceRow[]
  /** See docs/maintenance.md. */
  maintenance?: MaintenanceOptions
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
  /** How late the event loop was just now, where that can be seen. Measured from the first call on. */
  eventLoopDelayMs?: () => number
  /** Probes of what only this runtime can see, such as its memory. */
  checks?: readonly Check[]
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
  /** What is done on a schedule: looks after the dependencies. */
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
  // What is wrong is said at start, and not once there is load.
  if (options.overload) overload({ ...options.overload, measure: () => 0 })
  compilePolicies(options.limits ?? [])
  if (!(Number.isSafeInteger(options.instances ?? 1) && (options.instances ?? 1) >= 1)) {
    throw new TypeError('instances must be a whole number, 1 or more.')
  }
  const { phase, ...lifecycle } = createLifecycle()
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
    const counters = createCounters()
    let monitor: Monitor | undefined
    const services = createServices({
      config,
      problems,
      data,
      witness: (...seen) => monitor?.witness(...seen),
      onStoreChange(away) {
        counters.count('parapet_store_changes_total', away ? 'away' : 'back')
        if (away) log.write('error', 'system', 'Redis is away: limits fall back', { code: away })
        else log.write('info', 'system', 'Redis is back')
      },
    })
    monitor = createMonitor({
      checks: [...services.checks, ...(host.checks ?? []), ...(options.checks ?? [])],
      mode: options.probing ?? (host.runtime === 'workers' ? 'passive' : 'active'),
      clock,
      onTransition(transition) {
        counters.count('parapet_check_transitions_total', transition.name, transition.to)
        logTransition(log, transition)
      },
    })
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
            onOutcome: (failure) => monitor?.witness('origin', failure),
            onFailure: (thrown, { correlationId }) =>
              log.write('error', 'http', 'origin broke off', { err: describe(thrown), correlationId }),
          })
        : undefined,
      compressed: config.ENABLE_COMPRESSION && host.runtime !== 'workers',
      env,
    })

    const limits = wireLimits({
      config,
      services,
      trust,
      identify,
      log,
      counters,
      own: options.limits ?? [],
      instances: options.instances ?? 1,
      clock,
    })
    const switches = wireSwitches({ config, services, trust, log, options: options.maintenance, clock })
    const blocked = config.guarded ? [...DESTRUCTIVE_PATHS, ...(options.blocked ?? [])] : []
    const isBlockedPath = blockedPath(blocked)
    const isDestructive = (visit: Visit) =>
      isBlockedPath(visit.path) || (config.guarded && routes.isDestructive(visit))
    const isBlocked = (visit: Visit) => isDestructive(visit) || switches.board.isBlocked(visit.path)
    const isOpen = pathMatcher(options.open ?? (config.ORIGIN_URL ? ['/*'] : []))

    const timeoutMs = config.REQUEST_TIMEOUT_MS + (config.ORIGIN_URL ? ORIGIN_GRACE_MS : 0)

    // The order of this list is the policy: each gate may end a visit, and the next sees only what it let pass.
    const gates: Gate[] = [
      canonicalRequest({ encodedSlashes: options.encodedSlashes ?? [] }),
      cors({ ...options.cors, origins: config.origins, except: isDestructive }),
      surface({
        table: options.surface ?? SURFACE,
        phase,
        identify,
        resources: {
          ...probes({
            phase,
            monitor,
            faults: problems.map(({ name }) => name),
            identify,
            isClosed: switches.isClosed,
            clock,
          }),
          ...switches.resources,
          metrics: metrics(counters),
        },
      }),
      closed(phase),
      ...shed(options.overload, host, timeoutMs),
      consult({
        board: switches.board,
        limiter: limits.limiter,
        store: services.store,
        isRefused: (visit) => isBlocked(visit) || switches.isRefused(visit),
      }),
      switches.maintenance,
      blockedEndpoints({
        isBlocked,
        onBlocked: (visit) => logBlocked(log, visit),
      }),
      limits.rateLimit,
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
      monitor,
      limits,
      guard: createGuard({
        gates,
        routes: routes.answer,
        log,
        hsts: config.hsts,
        guarded: config.guarded,
        timeoutMs,
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
      lifecycle.open(problems.length)
      for (const { name, reason } of problems) log.write('error', 'config', `${name} ${reason}`)
      for (const { name, reason } of warnings) log.write('warn', 'config', `${name} ${reason}`)
      if (host.runtime === 'workers' && config.REDIS_URL && !house.services.redis) {
        log.write('warn', 'config', 'REDIS_URL is not used on Workers: name an Upstash Redis, or a bridge')
      }
      house.limits.announce()
      if (host.runtime !== 'workers' && config.TRUST_PROXY === 'cloudflare') {
        log.write('warn', 'config', CLOUDFLARE_ELSEWHERE)
      }
      if (options.overload?.eventLoopDelayMs && !host.eventLoopDelayMs) {
        log.write(
          'warn',
          'config',
          `overload.eventLoopDelayMs is not used on ${host.runtime}: only inFlight is`,
        )
      }
      if (!house.services.redis) {
        log.write('warn', 'config', 'no Redis: limits, switches and metrics are those of this instance alone')
      }
      return { config, problems, log }
    },

    fetch: (request, arrival) => current().guard(request, arrival),

    async tick() {
      // What is wrong was said at boot, and nothing outside is touched until it is mended.
      if (phase() !== 'ready') return
      const background: Promise<unknown>[] = []
      await current().monitor.look({ waitUntil: (work) => void background.push(work) })
      await Promise.all(background)
    },

    drain() {
      lifecycle.drain()
    },
  }
}

/** A request is given up twice at most, by the gates and by the route: what is older has ended unheard. */
const shed = (limits: OverloadLimits | undefined, { eventLoopDelayMs }: Host, timeoutMs: number): Gate[] => {
  const delay = eventLoopDelayMs && limits?.eventLoopDelayMs
  if (limits?.inFlight === undefined && delay === undefined) return []
  const forgetAfterMs = 2 * timeoutMs + 1000
  return [
    overload({
      inFlight: limits?.inFlight,
      eventLoopDelayMs: delay,
      measure: eventLoopDelayMs,
      forgetAfterMs,
    }),
  ]
}

const CLOUDFLARE_ELSEWHERE =
  'TRUST_PROXY=cloudflare lets anyone who reaches this server directly claim any address: name the CIDRs of the proxy, or a number of hops if nothing else can reach it'

const logTransition = (log: Log, { name, criticality, from, to, code }: Transition) => {
  const isWell = to === 'ok'
  const level = isWell ? 'info' : to === 'down' && criticality === 'critical' ? 'error' : 'warn'
  log.write(level, 'system', `check ${name} is ${to}`, { check: name, from, to, ...(code && { code }) })
}

const logBlocked = (log: Log, { method, rawPath, correlationId, trace }: Visit) =>
  log.write('warn', 'security', 'blocked endpoint', {
    method,
    path: rawPath,
    correlationId,
    traceId: trace.traceId,
  })
