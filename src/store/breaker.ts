import { CheckFailure, type FailureCode, transportFailure } from '../health/failure.ts'
import { patiently } from './patience.ts'
import type { Charge, Store, StoreContext } from './store.ts'

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
  /** Told of every answer. */
  onAnswer?: () => void
}

export interface Breaker extends Store {
  /** Why the store counts as away, or nothing while it is there. */
  away(): FailureCode | undefined
  /** Asks the store as a visit would, taking nothing, so that one without visits is found to be back as well. */
  look(now: number): Promise<void>
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
  onAnswer,
}: BreakerOptions): Breaker => {
  let failures = 0
  let successes = 0
  /** The last outcomes as bits, 1 for a failure. */
  let recent = 0
  let answeredAt = Number.NEGATIVE_INFINITY
  let reason: FailureCode | undefined
  let lastTry = 0

  /** Interrupts work that is late. What goes on all the same is nobody's any more. */
  const inTime = async <T>(work: (signal: AbortSignal) => T | Promise<T>): Promise<T> => {
    const late = new AbortController()
    const pending = work(late.signal)
    if (!(pending instanceof Promise)) return pending
    const before = successes
    let stop = () => {}
    const deadline = new Promise<never>((_, reject) => {
      const give = () => {
        late.abort()
        reject(new CheckFailure('timeout'))
      }
      const isMoving = () =>
        successes < WARM && successes !== before && performance.now() - answeredAt < FLOW_MS
      stop = patiently(deadlineMs, give, isMoving)
    })
    return Promise.race([pending, deadline]).finally(() => stop())
  }

  const watched = async <T>(
    now: number,
    work: (signal: AbortSignal) => T | Promise<T>,
  ): Promise<T | undefined> => {
    lastTry = now
    const before = successes
    try {
      const result = await inTime(work)
      failures = 0
      successes += 1
      recent = reason === undefined ? (recent << 1) & RECENT : 0
      answeredAt = performance.now()
      if (reason !== undefined) {
        reason = undefined
        onChange?.(undefined)
      }
      onAnswer?.()
      return result
    } catch (thrown) {
      // A store that has answered somebody else meanwhile is late, and not away: unless that goes on.
      if (successes === before) failures += 1
      recent = ((recent << 1) | 1) & RECENT
      if ((failures >= threshold || countOf(recent) >= MANY) && reason === undefined) {
        reason = thrown instanceof CheckFailure ? thrown.failure : transportFailure(thrown)
        onChange?.(reason)
      }
      return undefined
    }
  }

  const asked = <T>(context: StoreContext, work: (signal: AbortSignal) => T | Promise<T>) => {
    const { now } = context
    if (reason === undefined) return watched(now, work)
    // A clock that was set back must not put the try off.
    if (now - lastTry >= retryMs || now < lastTry - retryMs) context.waitUntil(watched(now, work))
    return undefined
  }

  return {
    charge: (charges, context) => asked(context, (signal) => store.charge(charges, endedBy(context, signal))),
    refund: (charges, context) => asked(context, (signal) => store.refund(charges, endedBy(context, signal))),
    // An operator asks rarely and had rather wait: neither counts for the breaker.
    swap: async (...args) => answered(store.swap(...args)),
    read: async (...args) => answered(store.read(...args)),
    away: () => reason,
    async look(now) {
      await watched(now, (signal) => store.charge([NOTHING], { now, signal, waitUntil() {} }))
    },
  }
}

/** Answers until a process counts as warm: before, its code is not compiled and its connections are being opened. */
const WARM = 200
/** Milliseconds after an answer in which the next of a queue can be expected. */
const FLOW_MS = 50
/** Of the last ten outcomes, so many failures are too many, whatever came between them. */
const RECENT = 0b11_1111_1111
const MANY = 5

const countOf = (bits: number): number => {
  let count = 0
  for (let left = bits; left > 0; left >>= 1) count += left & 1
  return count
}

const endedBy = (context: StoreContext, signal: AbortSignal): StoreContext => ({
  now: context.now,
  signal,
  waitUntil: (work) => context.waitUntil(work),
})

/** Looks without taking, by the same script as every other charge. */
const NOTHING: Charge = { key: 'parapet:look', algorithm: 'gcra', capacity: 1, periodMs: 1000, cost: 0 }

const answered = async <T>(work: T | Promise<T>): Promise<T | undefined> => {
  try {
    return await work
  } catch {
    return undefined
  }
}
