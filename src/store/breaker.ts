import { within } from '../deadline.ts'
import { CheckFailure, type FailureCode, transportFailure } from '../health/failure.ts'
import type { Store, StoreContext } from './store.ts'

export interface BreakerOptions {
  /** May reject, and may take for ever. */
  store: Store
  /** Milliseconds after which a visit waits no longer. */
  deadlineMs: number
  /** Failures in a row after which the store counts as away. */
  threshold?: number
  /** Milliseconds between two tries while it is away. */
  retryMs?: number
  /** Told when the store goes away, with the reason, and when it is back. */
  onChange?: (away: FailureCode | undefined) => void
}

export interface Breaker extends Store {
  /** Why the store counts as away, or nothing while it is there. */
  away(): FailureCode | undefined
}

/**
 * Makes a store that never rejects and never keeps a visit waiting for longer than the deadline.
 * After a few failures in a row nobody asks it any more, but for one try every now and then: that of a visit which is
 * answered without waiting for it.
 */
export const withBreaker = ({
  store,
  deadlineMs,
  threshold = 3,
  retryMs = 2000,
  onChange,
}: BreakerOptions): Breaker => {
  let failures = 0
  let reason: FailureCode | undefined
  let lastTry = 0

  const watched = async <T>(now: number, work: () => T | Promise<T>): Promise<T | undefined> => {
    lastTry = now
    try {
      const result = await within(deadlineMs, Promise.resolve(work()), () => new CheckFailure('timeout'))
      failures = 0
      if (reason !== undefined) {
        reason = undefined
        onChange?.(undefined)
      }
      return result
    } catch (thrown) {
      failures += 1
      if (failures >= threshold && reason === undefined) {
        reason = thrown instanceof CheckFailure ? thrown.failure : transportFailure(thrown)
        onChange?.(reason)
      }
      return undefined
    }
  }

  const asked = <T>({ now, waitUntil }: StoreContext, work: () => T | Promise<T>) => {
    if (reason === undefined) return watched(now, work)
    // A clock that was set back must not put the try off.
    if (now - lastTry >= retryMs || now < lastTry) waitUntil(watched(now, work))
    return undefined
  }

  return {
    charge: (charges, context) => asked(context, () => store.charge(charges, context)),
    refund: (charges, context) => asked(context, () => store.refund(charges, context)),
    // An operator asks rarely and had rather wait: neither counts for the breaker.
    swap: async (...args) => answered(store.swap(...args)),
    read: async (...args) => answered(store.read(...args)),
    away: () => reason,
  }
}

const answered = async <T>(work: T | Promise<T>): Promise<T | undefined> => {
  try {
    return await work
  } catch {
    return undefined
  }
}
