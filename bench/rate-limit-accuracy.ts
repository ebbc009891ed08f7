import { createMemoryStore } from '../src/store/memory-store.ts'
import type { Charge, Verdict } from '../src/store/store.ts'

// How exactly algorithms keep `LIMIT` requests in `WINDOW_MS`, under floods that are made to find their edges and under
// streams of ordinary callers. Ours are the real ones; those of others are written after their sources. Time is not
// real, so that hours take a second and every run is the same.

export const LIMIT = 100
export const WINDOW_MS = 60_000
const HOURS_MS = 2 * 3_600_000
const SEEDS = [1, 2, 3, 4, 5]
/** Neither a beginning of a window nor the epoch. */
const START = 1_800_000_000_000

/** Decides on one request. Time never goes back. */
export type Decide = (now: number) => boolean

const counted = (): Decide => {
  let window = 0
  let count = 0
  return (now) => {
    const current = Math.floor(now / WINDOW_MS)
    if (current !== window) count = 0
    window = current
    count += 1
    return count <= LIMIT
  }
}

/**
 * `Ratelimit.slidingWindow` of @upstash/ratelimit 2.2.0. Its cache, which is there by default, keeps out whom it has
 * denied once until the window ends.
 */
const slidingWindow = ({ cache }: { cache: boolean }): Decide => {
  const counts = new Map<number, number>()
  let blockedUntil = Number.NEGATIVE_INFINITY
  return (now) => {
    if (cache && blockedUntil >= now) return false
    const current = Math.floor(now / WINDOW_MS)
    const weight = 1 - (now % WINDOW_MS) / WINDOW_MS
    const count = counts.get(current) ?? 0
    if (Math.floor(weight * (counts.get(current - 1) ?? 0)) + count >= LIMIT) {
      blockedUntil = (current + 1) * WINDOW_MS
      return false
    }
    counts.set(current, count + 1)
    return true
  }
}

const stored = (charge: Omit<Charge, 'key' | 'cost'>): Decide => {
  const store = createMemoryStore()
  const charges: Charge[] = [{ ...charge, key: 'one', cost: 1 }]
  return (now) => (store.charge(charges, { now, waitUntil: () => {} }) as Verdict).allowed
}
const gcra = (burst: number): Decide =>
  stored({ algorithm: 'gcra', capacity: burst, periodMs: WINDOW_MS / LIMIT })

export const ALGORITHMS: Readonly<Record<string, () => Decide>> = {
  'fixed window': counted,
  '@upstash sliding window, no cache': () => slidingWindow({ cache: false }),
  '@upstash sliding window': () => slidingWindow({ cache: true }),
  'GCRA, burst 100': () => gcra(LIMIT),
  'GCRA, burst 10': () => gcra(LIMIT / 10),
  'exact log': () => stored({ algorithm: 'log', capacity: LIMIT, periodMs: WINDOW_MS }),
}

/** What a run came to. */
export interface Outcome {
  offered: number
  /** When each was let in, in milliseconds. */
  admitted: readonly number[]
}

const run = (decide: Decide, times: Iterable<number>): Outcome => {
  const admitted: number[] = []
  let offered = 0
  for (const time of times) {
    offered += 1
    if (decide(time)) admitted.push(time)
  }
  return { offered, admitted }
}

/** As many as were let in within any `length` milliseconds. */
export const mostWithin = (length: number, times: readonly number[]): number => {
  let most = 0
  let first = 0
  times.forEach((time, index) => {
    while (time - (times[first] as number) >= length) first += 1
    most = Math.max(most, index - first + 1)
  })
  return most
}

/** One every `everyMs`, from one moment to another. */
function* flood(from: number, to: number, everyMs: number) {
  for (let time = from; time < to; time += everyMs) yield time
}

/** Floods with a pause before them, which begin at every part of a window and go on for four. */
function* floods() {
  for (let offset = 0; offset < WINDOW_MS; offset += 1000) {
    for (const everyMs of [13, 100, 450]) {
      yield flood(START + offset, START + offset + 4 * WINDOW_MS, everyMs)
    }
  }
}

/** Callers who know nothing of each other: a Poisson stream, in whole milliseconds. */
function* strangers(perSecond: number, seed: number) {
  const random = sequence(seed)
  for (let time = 0; time < HOURS_MS; time += (-Math.log(1 - random()) / perSecond) * 1000) {
    yield START + Math.floor(time)
  }
}

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
const sequence = (seed: number) => {
  let state = seed >>> 0
  return (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Half a second before the end of a window and half a second after it, as fast as can be. */
export const edgeBurst = (make: () => Decide): number => {
  const edge = (Math.floor(START / WINDOW_MS) + 10) * WINDOW_MS
  return mostWithin(1000, run(make(), flood(edge - 500, edge + 500, 1)).admitted)
}

/** The worst that any flood gets out of any window's length. */
export const worstWindow = (make: () => Decide): number => {
  let worst = 0
  for (const times of floods()) worst = Math.max(worst, mostWithin(WINDOW_MS, run(make(), times).admitted))
  return worst
}

/** Strangers who together want so much of what is allowed, over two hours, for every seed. */
export const streams = (make: () => Decide, load: number): Outcome[] =>
  SEEDS.map((seed) => run(make(), strangers((load * LIMIT * 1000) / WINDOW_MS, seed)))

export const shareOf = (outcomes: readonly Outcome[]): number =>
  sum(outcomes.map(({ admitted }) => admitted.length)) / sum(outcomes.map(({ offered }) => offered))

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

if (import.meta.main) {
  const percent = (share: number) => `${(share * 100).toFixed(2)} %`
  const rows = Object.entries(ALGORITHMS).map(([algorithm, make]) => {
    const [ordinary, heavy] = [streams(make, 0.9), streams(make, 1.2)]
    return {
      algorithm,
      'edge burst in 1 s': edgeBurst(make),
      'worst 60 s under floods': worstWindow(make),
      'worst 60 s of strangers': Math.max(
        ...[...ordinary, ...heavy].map(({ admitted }) => mostWithin(WINDOW_MS, admitted)),
      ),
      'admitted at 90 %': percent(shareOf(ordinary)),
      'admitted at 120 %': percent(shareOf(heavy)),
    }
  })
  // biome-ignore lint/suspicious/noConsole: a program that prints a table
  console.table(rows)
}
