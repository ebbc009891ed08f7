import type { Config } from './config/config.ts'
import { credentialsOf } from './gates/authenticate.ts'
import type { Trust } from './gates/client-address.ts'
import type { Visit } from './gates/gate.ts'
import { rateLimit } from './gates/rate-limit.ts'
import type { Principal } from './identity/principal.ts'
import { defaultPolicies, withDefaults } from './limits/default-policies.ts'
import { hashedKeys, plainKeys } from './limits/keys.ts'
import { createLimiter, type Decision } from './limits/limiter.ts'
import type { Policy } from './limits/policy.ts'
import type { Log } from './log.ts'
import type { Services } from './services.ts'
import type { Counters } from './telemetry/counters.ts'

interface Wiring {
  config: Config
  services: Pick<Services, 'redis' | 'store'>
  trust: Trust
  identify: (credentials: string) => Principal | undefined
  log: Log
  counters: Counters
  /** The team's own policies. */
  own: readonly Policy[]
  instances: number
  clock: () => number
}

/**
 * The rate limits of an app: what decides, and the gate that obeys.
 *
 * @throws TypeError for a policy that cannot be
 */
export const wireLimits = (wiring: Wiring) => {
  const { config, services, trust, identify, log, counters, own, instances, clock } = wiring
  const defaults = defaultPolicies({
    limit: config.RATE_LIMIT_MAX_REQUESTS,
    windowMs: config.RATE_LIMIT_WINDOW_MS,
  })
  const policies = withDefaults(defaults, own)
  const limiter = createLimiter({
    policies: config.limited ? policies : [],
    store: services.store,
    keys: services.redis ? hashedKeys(secretOf(config)) : plainKeys,
    instances,
    addressOf: trust.address,
    principalOf: (visit) => identify(credentialsOf(visit) ?? ''),
    clock,
    onDecision: (policy, outcome) => counters.count('parapet_ratelimit_decisions_total', policy, outcome),
  })
  return {
    limiter,
    rateLimit: rateLimit({ limiter, onDenied: (visit, decision) => logDenied(log, visit, decision) }),
    /** Says at boot what holds. */
    announce() {
      if (config.limited) {
        log.write('info', 'config', 'rate limiting is enforced', { limits: policies.map(summaryOf) })
      } else log.write('warn', 'config', 'rate limiting is off: SKIP_RATE_LIMIT is set')
    },
  }
}

/** What makes keys unreadable: a secret that all instances share, the Redis' own where there is no other. */
const secretOf = (config: Config): string =>
  config.SESSION_SECRET ??
  config.JWT_ACCESS_SECRET ??
  config.INTERNAL_API_KEY ??
  config.REDIS_URL ??
  config.UPSTASH_REDIS_REST_TOKEN ??
  ''

/** `api 100/60s by user` */
const summaryOf = ({ name, limit, per, by }: Policy): string => `${name} ${limit}/${per} by ${by}`

const logDenied = (log: Log, { method, rawPath, correlationId, trace }: Visit, { judged }: Decision) =>
  log.write('warn', 'security', 'rate limited', {
    policies: judged.filter(({ violated }) => violated).map(({ policy }) => policy.name),
    method,
    path: rawPath,
    correlationId,
    traceId: trace.traceId,
  })
