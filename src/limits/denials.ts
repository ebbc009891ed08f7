import { Lru } from '../store/lru.ts'
import type { Charge, Standing } from '../store/store.ts'

interface Denial {
  standing: Standing
  cost: number
  /** Milliseconds since the epoch. */
  from: number
  until: number
}

const MAX_DENIALS = 10_000
/** A clock that was set back by more than this would keep a caller out for as long. */
const CLOCK_SLACK_MS = 1000

/**
 * Remembers whom a limit has refused until the moment from which it would not, so that a denied caller costs nothing.
 * Nothing but a refund can make a limit free earlier.
 */
export const createDenials = () => {
  const denials = new Lru<string, Denial>(MAX_DENIALS)

  return {
    /** How a limit stands that is known to refuse this charge. */
    find({ key, cost }: Charge, now: number): Standing | undefined {
      const denial = denials.get(key)
      if (!denial) return undefined
      if (now >= denial.until || now < denial.from - CLOCK_SLACK_MS) {
        denials.delete(key)
        return undefined
      }
      if (cost < denial.cost) return undefined
      const passed = now - denial.from
      return {
        ...denial.standing,
        resetMs: Math.max(0, denial.standing.resetMs - passed),
        retryMs: denial.until - now,
      }
    },
    add({ key, cost }: Charge, standing: Standing, now: number): void {
      denials.set(key, { standing, cost, from: now, until: now + standing.retryMs })
    },
    forget({ key }: Charge): void {
      denials.delete(key)
    },
  }
}

export type Denials = ReturnType<typeof createDenials>
