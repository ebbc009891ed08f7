import type { Refusal } from '../errors.ts'
import { rateLimitHeaders, retryAfter } from '../limits/headers.ts'
import { createLimiter, type Decision, type Limiter } from '../limits/limiter.ts'
import type { Policy } from '../limits/policy.ts'
import { createTrust, parseTrustProxy } from './client-address.ts'
import type { Gate, Visit } from './gate.ts'

export interface RateLimitOptions {
  limiter: Limiter
  /** Told of a visit that a limit refuses: the first of each caller, until it would not. */
  onDenied?: (visit: Visit, decision: Decision) => void
}

/** Registered problem types of draft-ietf-httpapi-ratelimit-headers. */
const TYPES = 'https://iana.org/assignments/http-problem-types'

/** How long a caller should wait where nobody knows how long it takes: the time between two tries of the store. */
const UNAVAILABLE_SECONDS = 2

/** Charges every policy that counts a visit, or refuses it and charges none. */
export const rateLimit = ({ limiter, onDenied }: RateLimitOptions): Gate => {
  const settle = (visit: Visit, decision: Decision | undefined): Refusal | undefined => {
    if (!decision) return undefined
    visit.answerHeaders.push(...rateLimitHeaders(decision, visit.now))
    if (decision.outcome === 'allowed') return undefined
    const members = {
      'violated-policies': decision.judged
        .filter(({ violated }) => violated)
        .map(({ policy }) => policy.name),
    }
    if (decision.outcome === 'unavailable') {
      return {
        code: 'LIMITER_UNAVAILABLE',
        type: `${TYPES}#temporary-reduced-capacity`,
        headers: { 'Retry-After': String(UNAVAILABLE_SECONDS) },
        members,
      }
    }
    if (decision.fresh && !decision.degraded) onDenied?.(visit, decision)
    const wait = retryAfter(decision)
    return {
      code: 'RATE_LIMITED',
      type: `${TYPES}#quota-exceeded`,
      headers: { 'Retry-After': String(wait) },
      members: { ...members, retryAfter: wait },
    }
  }

  return function rateLimit(visit) {
    const decision = limiter.ask(visit)
    return decision instanceof Promise
      ? decision.then((settled) => settle(visit, settled))
      : settle(visit, decision)
  }
}

export interface OwnRateLimitOptions {
  policies: readonly Policy[]
  /** As the variable TRUST_PROXY has it: whose word on the caller's address is taken. Default `socket`. */
  trustProxy?: string
}

/**
 * Rate limits to wear alone in a Hono app: counted in this process, in front of whatever stands behind.
 *
 * @throws TypeError for a policy that cannot be
 * @example
 * ```ts
 * app.use(wear(rateLimits({ policies: [{ name: 'api', match: '/*', by: 'ip', limit: 100, per: '60s' }] })))
 * ```
 */
export const rateLimits = ({ policies, trustProxy = 'socket' }: OwnRateLimitOptions): Gate => {
  const { address } = createTrust(parseTrustProxy(trustProxy))
  return rateLimit({
    limiter: createLimiter({ policies, addressOf: address, principalOf: (visit) => visit.principal }),
  })
}
