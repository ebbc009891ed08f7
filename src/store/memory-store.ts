import { Lru } from './lru.ts'
import type { Charge, Standing, Store } from './store.ts'

/** How many limits one process remembers. */
const MAX_KEYS = 10_000
/** Milliseconds. Sums of fractions are not exact. */
const TOLERANCE = 1e-3

/** When the last token taken will be back (`gcra`), or when each was taken, oldest first (`log`). */
type State = number | readonly number[]

/** What one charge would do: how the limit would stand, and the state it would leave. */
interface Trial {
  standing: Standing
  next: State
}

/**
 * Keeps everything in this process and answers at once. For a single server, for tests, and as what a limit falls
 * back to while Redis is away.
 */
export const createMemoryStore = (): Store => {
  // Strict limits are few: nobody shall push them out with requests that are cheap.
  const kept = { gcra: new Lru<string, State>(MAX_KEYS), log: new Lru<string, State>(MAX_KEYS) }
  const texts = new Map<string, string>()

  const attempt = (charges: readonly Charge[], now: number): Trial[] =>
    charges.map((charge) =>
      charge.algorithm === 'gcra'
        ? tryGcra(charge, numberOf(kept.gcra.get(charge.key)), now)
        : tryLog(charge, listOf(kept.log.get(charge.key)), now),
    )

  return {
    charge(charges, { now }) {
      const trials = attempt(charges, now)
      const allowed = trials.every(({ standing }) => standing.allowed)
      if (!allowed) {
        const untouched = attempt(
          charges.map((charge) => ({ ...charge, cost: 0, extra: 0 })),
          now,
        )
        return {
          allowed,
          standings: trials.map(({ standing }, index) => ({
            ...standing,
            remaining: (untouched[index] as Trial).standing.remaining,
            resetMs: (untouched[index] as Trial).standing.resetMs,
            taken: 0,
          })),
        }
      }
      charges.forEach(({ key, algorithm }, index) => {
        const { standing, next } = trials[index] as Trial
        if (standing.taken > 0) kept[algorithm].set(key, next)
      })
      return { allowed, standings: trials.map(({ standing }) => standing) }
    },

    refund(charges, { now }) {
      for (const { key, algorithm, cost, periodMs } of charges) {
        const states = kept[algorithm]
        const state = states.get(key)
        if (state === undefined) continue
        const left =
          algorithm === 'gcra'
            ? numberOf(state) - cost * periodMs
            : // The oldest go, so that nobody gains time by being refunded.
              listOf(state)
                .filter((taken) => now - taken < periodMs)
                .slice(cost)
        if (typeof left === 'number' ? left <= now : left.length === 0) states.delete(key)
        else states.set(key, left)
      }
    },

    swap(key, previous, next) {
      if ((texts.get(key) ?? null) !== previous) return false
      texts.set(key, next)
      return true
    },

    read: (key) => texts.get(key) ?? null,
  }
}

const numberOf = (state: State | undefined): number => (typeof state === 'number' ? state : 0)
const listOf = (state: State | undefined): readonly number[] => (typeof state === 'object' ? state : [])

/** The generic cell rate algorithm (ITU-T I.371) in its virtual scheduling form. */
const tryGcra = ({ capacity, periodMs, cost, extra = 0 }: Charge, full: number, now: number): Trial => {
  const used = Math.max(0, full - now)
  const room = capacity * periodMs - used
  const need = cost * periodMs
  const allowed = need <= room + TOLERANCE
  const more = allowed && extra > 0 ? Math.min(extra, Math.floor((room - need + TOLERANCE) / periodMs)) : 0
  const after = used + need + more * periodMs
  return {
    standing: {
      allowed,
      remaining: Math.max(0, Math.floor((capacity * periodMs - after + TOLERANCE) / periodMs)),
      resetMs: Math.max(0, Math.ceil(after - TOLERANCE)),
      retryMs: allowed ? 0 : Math.ceil(need - room - TOLERANCE),
      taken: allowed ? cost + more : 0,
    },
    next: now + after,
  }
}

/** An exact log of when each token was taken. */
const tryLog = ({ capacity, periodMs, cost }: Charge, taken: readonly number[], now: number): Trial => {
  const held = taken.filter((at) => now - at < periodMs)
  const allowed = held.length + cost <= capacity
  const after = allowed ? [...held, ...Array<number>(cost).fill(now)] : held
  const frees = held[held.length + cost - capacity - 1] ?? now
  return {
    standing: {
      allowed,
      remaining: capacity - after.length,
      resetMs: after.length === 0 ? 0 : periodMs - (now - (after.at(-1) as number)),
      retryMs: allowed ? 0 : Math.max(1, periodMs - (now - frees)),
      taken: allowed ? cost : 0,
    },
    next: after,
  }
}
