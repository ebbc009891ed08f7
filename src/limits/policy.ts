import type { Visit } from '../gates/gate.ts'
import { requestMatcher } from './request-pattern.ts'

/** A length of time: `500ms`, `60s`, `15m`, `1h`, `1d`. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

/** One rate limit, as data. */
export interface Policy {
  /** How callers, headers and metrics know it: letters, digits, `-` and `_`. */
  name: string
  /** Which requests it counts: `/exact`, `/prefix/*`, `POST /exact`, several of them, or a function. */
  match: string | readonly string[] | ((visit: Visit) => boolean)
  /** Whom it counts. Where there is no such thing as a user, key or tenant, the address counts. */
  by: 'ip' | 'user' | 'apiKey' | 'tenant' | 'custom'
  /** For `by: 'custom'`: whose request it is. The address counts where it says nothing. */
  key?: (visit: Visit) => string | undefined
  /** Requests in `per`. */
  limit: number
  per: Duration
  /** Requests that may come at once. Default: the limit. Not together with `strict`. */
  burst?: number
  /** What one request takes from the limit. Default 1. Never more than the burst. */
  cost?: number | ((visit: Visit) => number)
  /** Never more than the limit in any `per`, by an exact log. For small limits, up to 100. */
  strict?: boolean
  /** Requests that it does not count. */
  skip?: (visit: Visit) => boolean
  /** Which answers give the charge back, by their status: a login that succeeded. */
  refund?: (status: number) => boolean
  /**
   * Tokens to take at once where one instance is hot, so that most of its requests ask nobody. Up to a tenth of the
   * limit. See docs/limits.md for the price.
   */
  lease?: number
  /**
   * While the store is away: `local` limits each instance by itself (default), `open` admits, `closed` refuses.
   */
  onStoreFailure?: 'local' | 'open' | 'closed'
}

/** A policy once it is checked, with what follows from it. */
export interface CompiledPolicy extends Policy {
  readonly perMs: number
  readonly matches: (visit: Visit) => boolean
  readonly algorithm: 'gcra' | 'log'
  /** Tokens of a full limit. */
  readonly capacity: number
  /** Milliseconds that leased tokens are good for. */
  readonly leaseMs: number
  readonly mode: 'local' | 'open' | 'closed'
}

/** An exact log is written anew with every request. */
export const MAX_LOG = 100
const MAX_PER_MS = 365 * 86_400_000
/** Milliseconds between two tokens, below which a store cannot tell them apart. */
const MIN_INTERVAL_MS = 0.05

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Whole milliseconds of a {@link Duration}, or nothing where it is none. */
export const milliseconds = (duration: string): number | undefined => {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(duration) ?? []
  return unit === undefined ? undefined : Math.round(Number(amount) * (UNITS[unit] as number))
}

/**
 * Checks policies and makes them ready.
 *
 * @throws TypeError that says which policy is wrong, and what would be right
 */
export const compilePolicies = (policies: readonly Policy[]): CompiledPolicy[] => {
  const names = policies.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw new TypeError(`There are two rate limits named ${twice}: name them apart.`)
  return policies.map(compile)
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 1

const compile = (policy: Policy): CompiledPolicy => {
  const {
    name,
    match,
    by,
    key,
    limit,
    per,
    burst,
    cost = 1,
    strict = false,
    lease,
    refund,
    onStoreFailure,
  } = policy
  const demand = (isRight: boolean, what: string) => {
    if (!isRight) throw new TypeError(`Rate limit ${JSON.stringify(name)}: ${what}.`)
  }
  demand(/^[\w-]{1,64}$/.test(name), 'a name is up to 64 letters, digits, - and _')
  demand(isCount(limit), 'limit must be a whole number, 1 or more')
  const perMs = milliseconds(String(per)) ?? 0
  demand(perMs >= 1 && perMs <= MAX_PER_MS, 'per must be a time such as 60s, 15m or 1h, up to 365d')
  demand(
    ['ip', 'user', 'apiKey', 'tenant', 'custom'].includes(by),
    'by must be ip, user, apiKey, tenant or custom',
  )
  demand((by === 'custom') === (key !== undefined), 'key goes with by: custom, and custom needs it')
  demand(burst === undefined || isCount(burst), 'burst must be a whole number, 1 or more')
  demand(!strict || limit <= MAX_LOG, `strict is for limits up to ${MAX_LOG}`)
  demand(!strict || burst === undefined, 'strict knows no burst: leave one of them out')
  demand(
    refund === undefined || lease === undefined,
    'leased tokens are not given back: leave refund or lease out',
  )
  demand(!strict || lease === undefined, 'strict cannot be leased: leave one of them out')
  demand(
    lease === undefined || (Number.isSafeInteger(lease) && lease >= 2 && lease <= limit / 10),
    'lease must be a whole number from 2 to a tenth of the limit',
  )
  demand(
    [undefined, 'local', 'open', 'closed'].includes(onStoreFailure),
    'onStoreFailure must be local, open or closed',
  )
  demand(perMs / limit >= MIN_INTERVAL_MS, `limit must be at most ${perMs / MIN_INTERVAL_MS} in ${per}`)
  const full = strict ? limit : (burst ?? limit)
  demand(
    typeof cost === 'function' || (Number.isSafeInteger(cost) && cost >= 0 && cost <= full),
    `cost must be a whole number from 0 to the burst, ${full}`,
  )
  const leaseMs = lease === undefined ? 0 : Math.min(1000, perMs / 10)
  // Leased tokens are spent late: what comes back meanwhile must not come on top of a full burst.
  const capacity = full - (lease === undefined ? 0 : Math.ceil((limit * leaseMs) / perMs))
  demand(capacity >= 1, 'burst is too small to be leased from')
  return {
    ...policy,
    perMs,
    matches:
      typeof match === 'function' ? match : requestMatcher(typeof match === 'string' ? [match] : match),
    algorithm: strict ? 'log' : 'gcra',
    capacity,
    leaseMs,
    mode: onStoreFailure ?? 'local',
  }
}
