import type { Visit } from '../src/gates/gate.ts'
import { createLimiter, type Decision } from '../src/limits/limiter.ts'
import type { Policy } from '../src/limits/policy.ts'
import { createMemoryStore } from '../src/store/memory-store.ts'
import type { Store, Verdict } from '../src/store/store.ts'

// What leases save and what they cost: isolates that share one store, and a stream of requests that falls on them at
// random. The limiter is the real one; time is not, so that a run takes seconds and is the same every time.

export interface Fleet {
  isolates: number
  /** Requests in a minute, and tokens in a block; 0 for no leases. */
  limit: number
  lease: number
  /** Requests in a second, of the whole fleet, for so many seconds. */
  offered: number
  seconds: number
  seed?: number
}

export interface Outcome {
  offered: number
  admitted: number
  /** What one process without leases admits of the same stream. */
  admissible: number
  /** Most that was admitted in any minute. */
  worstMinute: number
  /** Requests to the store. */
  asked: number
}

const START = 1_800_000_000_000
const MINUTE = 60_000

export const simulate = ({ isolates, limit, lease, offered, seconds, seed = 1 }: Fleet): Outcome => {
  const random = sequence(seed)
  let now = START
  let asked = 0
  const shared = createMemoryStore()
  const store: Store = {
    ...shared,
    charge(charges, context) {
      asked += 1
      return shared.charge(charges, context)
    },
  }
  const policy: Policy = {
    name: 'hot',
    match: '/*',
    by: 'custom',
    key: () => 'one',
    limit,
    per: '60s',
    ...(lease > 0 && { lease }),
  }
  const fleet = Array.from({ length: isolates }, () =>
    createLimiter({
      policies: [policy],
      store,
      clock: () => now,
      addressOf: () => undefined,
      principalOf: () => undefined,
    }),
  )
  const alone = createMemoryStore()
  const single = {
    key: 'one',
    algorithm: 'gcra' as const,
    capacity: limit,
    periodMs: MINUTE / limit,
    cost: 1,
  }
  const admitted: number[] = []
  let admissible = 0
  let count = 0
  for (let at = arrival(random, offered); at < seconds * 1000; at += arrival(random, offered)) {
    now = START + Math.floor(at)
    count += 1
    const visit = { now, path: '/', method: 'GET', afterwards: [], waitUntil() {} } as unknown as Visit
    const decision = fleet[Math.floor(random() * isolates)]?.ask(visit) as Decision
    if (decision.outcome === 'allowed') admitted.push(now)
    if ((alone.charge([single], { now, waitUntil() {} }) as Verdict).allowed) admissible += 1
  }
  return {
    offered: count,
    admitted: admitted.length,
    admissible,
    worstMinute: mostIn(admitted, MINUTE),
    asked,
  }
}

const mostIn = (times: readonly number[], length: number): number => {
  let most = 0
  let first = 0
  times.forEach((time, index) => {
    while (time - (times[first] as number) >= length) first += 1
    most = Math.max(most, index - first + 1)
  })
  return most
}

/** Milliseconds to the next request of a Poisson stream. */
const arrival = (random: () => number, perSecond: number): number =>
  (-Math.log(1 - random()) / perSecond) * 1000

/** A small generator of numbers from 0 to 1 that begins anew with every run (Numerical Recipes' LCG). */
const sequence = (seed: number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** Limit per minute, tokens per block, requests per second. */
const FLEETS = [
  [600, 10, 5],
  [6000, 10, 90],
  [6000, 10, 120],
  [60_000, 0, 900],
  [60_000, 20, 900],
  [60_000, 20, 1200],
  [60_000, 20, 3000],
] as const

if (import.meta.main) {
  const rows = FLEETS.map(([limit, lease, offered]) => {
    const result = simulate({ isolates: 20, limit, lease, offered, seconds: 300 })
    return {
      'limit/min': limit,
      lease,
      'offered/s': offered,
      'store requests per request': (result.asked / result.offered).toFixed(3),
      'admissible lost': `${((1 - result.admitted / result.admissible) * 100).toFixed(2)} %`,
      'worst minute': result.worstMinute,
      bound: 2 * limit,
    }
  })
  // biome-ignore lint/suspicious/noConsole: a program that prints a table
  console.table(rows)
}
