import { Lru } from './store/lru.ts'
import { createRedisStore } from './store/redis-store.ts'
import type { Charge, Command, Reply, Standing, Store } from './store/store.ts'

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }
type Unit = keyof typeof UNITS

/** Milliseconds, or a text such as `60 s`. */
export type Duration = number | `${number} ${Unit}` | `${number}${Unit}`

export interface GcraOptions {
  /** Requests that may come at once after a pause. Default: the limit. */
  burst?: number
}

/** As much of a client of `@upstash/redis` as is used. */
export interface GcraRedis {
  eval(script: string, keys: string[], args: (string | number)[]): Promise<unknown>
  evalsha(hash: string, keys: string[], args: (string | number)[]): Promise<unknown>
  del(...keys: string[]): Promise<unknown>
}

/** What `@upstash/ratelimit` hands to an algorithm. */
export interface GcraContext {
  redis: GcraRedis
  /** Missing where `ephemeralCache` is `false`: then a denial is asked for every time. */
  cache?: object
  dynamicLimits?: boolean
}

export interface GcraAnswer {
  success: boolean
  /** The burst. */
  limit: number
  remaining: number
  /** Milliseconds since the epoch: when the same request would be let in, or when nothing is used any more. */
  reset: number
  pending: Promise<unknown>
  reason?: 'cacheBlock'
}

export interface GcraAlgorithm {
  limit(context: GcraContext, identifier: string, rate?: number): Promise<GcraAnswer>
  getRemaining(
    context: GcraContext,
    identifier: string,
  ): Promise<{ remaining: number; reset: number; limit: number }>
  resetTokens(context: GcraContext, identifier: string): Promise<void>
}

/**
 * The generic cell rate algorithm for `@upstash/ratelimit`, in place of `Ratelimit.slidingWindow`: nobody is let in
 * more than `burst + limit` times in any window, nor kept out although there is room. One request to Redis for each
 * that is let in, none while it is known that there is no room, and nothing is charged for one that is denied.
 *
 * A rate of several tokens, 0 to look, and a negative one to give back work as in `@upstash/ratelimit`.
 * Dynamic limits do not.
 *
 * @throws TypeError where the limit, the window or the burst is none
 * @see ITU-T I.371, virtual scheduling
 * @example new Ratelimit({ redis: Redis.fromEnv(), limiter: gcra(100, '60 s', { burst: 20 }) })
 */
export const gcra = (
  limit: number,
  window: Duration,
  { burst = limit }: GcraOptions = {},
): (() => GcraAlgorithm) => {
  const windowMs = milliseconds(window)
  for (const [name, value] of Object.entries({ limit, burst })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new TypeError(`gcra: the ${name} must be a positive integer, such as 100`)
    }
  }
  const periodMs = windowMs / limit
  if (periodMs < 0.01) throw new TypeError('gcra: at most 100 requests in a millisecond')

  // Another limit of the same caller is another limit, so that a changed one holds at once.
  const keyOf = (identifier: string) => `${identifier}:gcra:${limit}/${windowMs}/${burst}`
  const charge = async ({ redis }: GcraContext, key: string, cost: number): Promise<Standing> => {
    const charges: Charge[] = [{ key, algorithm: 'gcra', capacity: burst, periodMs, cost }]
    const verdict = await placeOf(redis).store.charge(charges, { now: 0, waitUntil: () => {} })
    return verdict?.standings[0] as Standing
  }

  const algorithm: GcraAlgorithm = {
    async limit(context, identifier, rate = 1) {
      if (!Number.isFinite(rate)) throw new TypeError('gcra: the rate must be a number, such as 1')
      if (context.dynamicLimits) throw new TypeError('gcra: dynamicLimits cannot be used with it')
      const key = keyOf(identifier)
      const { denials } = placeOf(context.redis)
      const sentAt = Date.now()
      const denial = context.cache && denials.get(key)
      if (denial && rate >= denial.rate && isHeld(denial, sentAt)) return { ...denial.answer, ...told() }

      const { allowed, remaining, resetMs, retryMs } = await charge(context, key, rate)
      const answer = { success: allowed, limit: burst, remaining, reset: Date.now() + (retryMs || resetMs) }
      if (!allowed) denials.set(key, { rate, until: sentAt + Math.min(retryMs, HELD_MS), answer })
      else if (rate < 0) denials.delete(key)
      return { ...answer, pending: Promise.resolve() }
    },

    async getRemaining(context, identifier) {
      const { remaining, resetMs } = await charge(context, keyOf(identifier), 0)
      return { remaining, reset: Date.now() + resetMs, limit: burst }
    },

    async resetTokens({ redis }, identifier) {
      placeOf(redis).denials.delete(keyOf(identifier))
      await redis.del(keyOf(identifier))
    },
  }
  return () => algorithm
}

/** Callers who are known to be denied. */
const MAX_DENIALS = 10_000
/** Milliseconds. Another instance may give back what was taken, or start anew. */
const HELD_MS = 5000

interface Denial {
  /** What was asked for, so that a smaller request is asked for again. */
  rate: number
  /** Counted from when Redis was asked, which is earlier than when it answered: nobody is kept out for too long. */
  until: number
  answer: Omit<GcraAnswer, 'pending'>
}

// A clock that was set back holds nobody up.
const isHeld = ({ until }: Denial, now: number): boolean => now < until && until - now <= HELD_MS
const told = () => ({ pending: Promise.resolve(), reason: 'cacheBlock' }) as const

interface Place {
  store: Store
  denials: Lru<string, Denial>
}

/** What is known of each Redis: whether it has the script, and who is denied. */
const places = new WeakMap<GcraRedis, Place>()

const placeOf = (redis: GcraRedis): Place => {
  let place = places.get(redis)
  if (!place) {
    place = {
      store: createRedisStore({ send: sendingBy(redis), timeoutMs: 0 }),
      denials: new Lru<string, Denial>(MAX_DENIALS),
    }
    places.set(redis, place)
  }
  return place
}

/** The user's own client decides how long to wait and how often to try. */
const sendingBy = (redis: GcraRedis) => async (commands: readonly Command[]) => {
  const [name, script, , key, ...args] = commands[0] as Command
  try {
    const run = name === 'EVAL' ? 'eval' : 'evalsha'
    return [{ result: await redis[run](String(script), [String(key)], args) }]
  } catch (thrown) {
    // The client names the command behind what Redis said, and with it the script.
    const [said = ''] = String((thrown as Error).message).split(', command was')
    const known = /NOSCRIPT|.*(?:shebang|flags?\b).*/i.exec(said)
    if (!known) throw thrown
    return [{ error: known[0] }] satisfies Reply[]
  }
}

const milliseconds = (window: Duration): number => {
  const [, number, unit] = /^(\d+(?:\.\d+)?) ?(ms|[smhdw])$/.exec(String(window)) ?? []
  const value = typeof window === 'number' ? window : Math.round(Number(number) * UNITS[unit as Unit])
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new TypeError('gcra: the window must be milliseconds, or a text such as 60 s, 15 m or 1 h')
  }
  return value
}
