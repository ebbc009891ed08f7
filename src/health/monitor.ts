import { within } from '../deadline.ts'
import { type Check, type Criticality, DEFAULT_FRESH_MS, DEFAULT_TIMEOUT_MS } from './check.ts'
import { CheckFailure, type FailureCode, transportFailure } from './failure.ts'
import { type Standing, settle, UNKNOWN } from './hysteresis.ts'
import type { CheckStatus } from './verdict.ts'

export interface MonitorOptions {
  checks: readonly Check[]
  /**
   * `active` looks at what costs something at most once in its fresh time, `passive` only where nothing is known or
   * something is wrong: real traffic says the rest, and a dependency that sleeps is left asleep.
   */
  mode: 'active' | 'passive'
  /** Milliseconds since the epoch. */
  clock: () => number
  onTransition?: (transition: Transition) => void
}

/** A check whose standing changed. */
export interface Transition {
  name: string
  criticality: Criticality
  from: CheckStatus
  to: CheckStatus
  code: FailureCode | undefined
  /** Milliseconds since the epoch. */
  at: number
}

/** What is known of one check. */
export interface Reading {
  name: string
  criticality: Criticality
  status: CheckStatus
  /** Older than it should be, because nobody looked or nobody answered. */
  stale: boolean
  /** The dependency was asleep and is waking up. */
  warming: boolean
  /** Why it does not work, as it was last seen. */
  code: FailureCode | undefined
  latencyMs: number | undefined
  /** Milliseconds since the epoch of the last outcome, and of the last change. */
  seenAt: number | undefined
  since: number | undefined
}

/** Whose visit it is that looks. */
export interface Looker {
  /** Work that may go on after the answer. */
  waitUntil(work: Promise<unknown>): void
}

export interface Monitor {
  /** What is known, after waiting a moment for what is worth it. Never rejects. */
  look(looker: Looker, names?: readonly string[]): Promise<Reading[]>
  /** What is known, without looking. */
  readings(): Reading[]
  /**
   * What real traffic has seen of a dependency. That it worked is believed while nothing else is known; that it did
   * not puts it in doubt, so that the next look decides: one endpoint that fails is not yet a dependency that is down.
   */
  witness: Witness
  /** The last changes, newest first. */
  history(): readonly Transition[]
}

export type Witness = (name: string, failure: FailureCode | undefined, seen?: Testimony) => void

export interface Testimony {
  /** Whoever says so has made sure already. */
  certain?: boolean
  latencyMs?: number
}

/** Milliseconds that an answer waits for checks. */
const PATIENCE_MS = 75
/** Milliseconds between two looks at what is in doubt. */
const DOUBT_MS = 1000
/** Milliseconds beyond a check's own time after which nobody counts on whoever runs it: its request may have died. */
const LEASE_SLACK_MS = 500
/** Milliseconds without a word after which a dependency that sleeps may be asleep. */
const ASLEEP_MS = 300_000
const POLL_MS = 5
const HISTORY = 100
/** Failures that are no accident. */
const CERTAIN: ReadonlySet<FailureCode | undefined> = new Set<FailureCode>(['pending', 'misconfigured'])

/** Plain data: requests of a Worker may share nothing else. */
interface Record {
  readonly check: Check
  standing: Standing
  warned: boolean
  warming: boolean
  doubted: boolean
  code: FailureCode | undefined
  latencyMs: number | undefined
  seenAt: number | undefined
  since: number | undefined
  leasedUntil: number
}

/**
 * Keeps what is known of every dependency, and looks again when it is time: one look for all requests at once, however
 * many there are, and no answer waits for one that hangs.
 *
 * @throws TypeError for names that are none, or not different
 */
export const createMonitor = ({ checks, mode, clock, onTransition }: MonitorOptions): Monitor => {
  for (const [index, { name }] of checks.entries()) {
    if (!/^[\w-]{1,64}$/.test(name)) {
      throw new TypeError(`The name of a check is up to 64 letters, digits, - and _: ${JSON.stringify(name)}`)
    }
    if (checks.findIndex((check) => check.name === name) !== index) {
      throw new TypeError(`There are two checks named ${name}: name them apart.`)
    }
  }
  const records = checks.map(
    (check): Record => ({
      check,
      standing: UNKNOWN,
      warned: false,
      warming: false,
      doubted: false,
      code: undefined,
      latencyMs: undefined,
      seenAt: undefined,
      since: undefined,
      leasedUntil: 0,
    }),
  )
  const history: Transition[] = []

  const age = ({ seenAt }: Record, now: number) =>
    // A clock that was set back makes nothing younger.
    seenAt === undefined || now < seenAt ? Number.POSITIVE_INFINITY : now - seenAt
  const freshMs = ({ check }: Record) => check.freshMs ?? DEFAULT_FRESH_MS
  const inDoubt = ({ standing, warming, doubted }: Record) =>
    warming || doubted || standing.status === 'down' || standing.contrary > 0
  const isLeased = ({ leasedUntil, check }: Record, now: number) =>
    now < leasedUntil && leasedUntil - now <= (check.timeoutMs ?? DEFAULT_TIMEOUT_MS) + LEASE_SLACK_MS

  const isDue = (record: Record, now: number): boolean => {
    if (isLeased(record, now)) return false
    if (record.seenAt === undefined || inDoubt(record)) return age(record, now) >= DOUBT_MS
    if (record.check.costs && mode === 'passive' && !record.warned) return false
    return age(record, now) >= freshMs(record)
  }

  const reading = (record: Record, now: number): Reading => ({
    name: record.check.name,
    criticality: record.check.criticality,
    status: statusOf(record),
    stale: record.seenAt !== undefined && age(record, now) >= freshMs(record) + DOUBT_MS,
    warming: record.warming,
    code: record.code,
    latencyMs: record.latencyMs,
    seenAt: record.seenAt,
    since: record.since,
  })

  const apply = (record: Record, outcome: Outcome, at: number, certain = record.check.certain) => {
    const before = statusOf(record)
    const isAsleep = record.check.sleeps && age(record, at) >= ASLEEP_MS && record.seenAt !== undefined
    record.seenAt = at
    record.doubted = false
    record.latencyMs = outcome.latencyMs ?? record.latencyMs
    // The first look at what was asleep may be late once: that is how it wakes up.
    record.warming = !record.warming && isAsleep === true && outcome.code === 'timeout'
    if (record.warming) return
    record.code = outcome.code
    record.warned = outcome.warned
    const worked = outcome.code === undefined
    record.standing =
      certain || CERTAIN.has(outcome.code)
        ? { status: worked ? 'up' : 'down', contrary: 0 }
        : settle(record.standing, worked)
    const to = statusOf(record)
    if (to === before) return
    record.since = at
    // Getting to know a dependency that works, or one that nobody depends on, is no news.
    const { name, criticality } = record.check
    if (before === 'unknown' && (to === 'ok' || criticality === 'info')) return
    const transition = { name, criticality, from: before, to, code: outcome.code, at }
    history.unshift(transition)
    history.length = Math.min(history.length, HISTORY)
    onTransition?.(transition)
  }

  const start = (record: Record, now: number): Promise<void> => {
    const timeoutMs = record.check.timeoutMs ?? DEFAULT_TIMEOUT_MS
    const leasedUntil = now + timeoutMs + LEASE_SLACK_MS
    record.leasedUntil = leasedUntil
    return run(record.check, timeoutMs, clock).then((outcome) => {
      // Whoever came after a lease had run out knows better.
      if (record.leasedUntil !== leasedUntil) return
      record.leasedUntil = 0
      apply(record, outcome, clock())
    })
  }

  return {
    async look(looker, names) {
      const wanted = names ? records.filter(({ check }) => names.includes(check.name)) : records
      const now = clock()
      const led = wanted
        .filter((record) => isDue(record, now))
        .map((record) => {
          const work = start(record, now)
          looker.waitUntil(work)
          return work
        })
      const began = performance.now()
      if (led.length > 0) await Promise.race([Promise.all(led), pause(PATIENCE_MS)])
      // Somebody else may be looking too. That is waited for only by who knows nothing, and by its own timer.
      const isOpen = (record: Record) => statusOf(record) === 'unknown' && isLeased(record, clock())
      while (performance.now() - began < PATIENCE_MS && wanted.some(isOpen)) await pause(POLL_MS)
      return wanted.map((record) => reading(record, clock()))
    },

    readings: () => records.map((record) => reading(record, clock())),

    witness(name, failure, { certain = false, latencyMs } = {}) {
      const record = records.find(({ check }) => check.name === name)
      if (!record) return
      const agrees = failure === undefined && record.standing.status !== 'down' && !inDoubt(record)
      if (certain || agrees) {
        apply(record, { code: failure, warned: record.warned, latencyMs }, clock(), certain)
      } else if (failure !== undefined) record.doubted = true
    },

    history: () => history,
  }
}

const statusOf = ({ standing, warned }: Record): CheckStatus =>
  standing.status === 'up' ? (warned ? 'warn' : 'ok') : standing.status

/** How one look ended. */
interface Outcome {
  code: FailureCode | undefined
  warned: boolean
  latencyMs?: number | undefined
}

/** Never rejects, and takes no longer than the check's own time, whatever the check does. */
const run = async (check: Check, timeoutMs: number, clock: () => number): Promise<Outcome> => {
  const began = clock()
  const ended = (code: FailureCode | undefined, warned = false) => ({
    code,
    warned,
    latencyMs: clock() - began,
  })
  try {
    const said = await within(timeoutMs, Promise.resolve(check.run()), () => new CheckFailure('timeout'))
    return ended(undefined, said === 'warn')
  } catch (thrown) {
    return ended(thrown instanceof CheckFailure ? thrown.failure : transportFailure(thrown))
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
