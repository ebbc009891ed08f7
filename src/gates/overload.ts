import type { Gate } from './gate.ts'

export interface OverloadLimits {
  /** Requests that may be worked on at once, by this process or isolate. */
  inFlight?: number | undefined
  /** How late the event loop may be, in milliseconds. */
  eventLoopDelayMs?: number | undefined
}

export interface OverloadOptions extends OverloadLimits {
  /** How late the event loop was just now, in milliseconds. Needed for `eventLoopDelayMs`. */
  measure?: (() => number) | undefined
  /** Milliseconds after which a request that never ended counts no more. Default 60 s. */
  forgetAfterMs?: number
}

/** Seconds. Whoever is refused together should not come back together. */
const RETRY_AFTER = { least: 1, most: 3 }

/**
 * Sheds load: refuses what this process could not answer in time anyway, before it costs anything, so that what is
 * already being worked on ends well. A request counts until its answer is made; a body that is streamed after that
 * is not seen.
 *
 * @throws TypeError where a limit is no positive integer
 * @see https://sre.google/sre-book/addressing-cascading-failures/
 * @example app.use(wear(overload({ inFlight: 200 })))
 */
export const overload = (options: OverloadOptions): Gate => {
  const { inFlight = Number.POSITIVE_INFINITY, eventLoopDelayMs, measure, forgetAfterMs = 60_000 } = options
  check(options)
  /** When each began, oldest first. An isolate may end a request of a caller who has left without telling anyone. */
  const running = new Set<{ since: number }>()
  const forget = (now: number) => {
    for (const visit of running) {
      if (now - visit.since <= forgetAfterMs) break
      running.delete(visit)
    }
  }
  const isLate = () => eventLoopDelayMs !== undefined && measure !== undefined && measure() > eventLoopDelayMs

  return function overload({ now, afterwards }) {
    if (running.size >= inFlight) forget(now)
    if (running.size >= inFlight || isLate()) {
      return { code: 'OVERLOADED', headers: { 'Retry-After': String(retryAfter()) } }
    }
    const visit = { since: now }
    running.add(visit)
    afterwards.push(() => void running.delete(visit))
    return undefined
  }
}

const retryAfter = (): number =>
  RETRY_AFTER.least + Math.floor(Math.random() * (RETRY_AFTER.most - RETRY_AFTER.least + 1))

const check = ({ inFlight, eventLoopDelayMs, measure, forgetAfterMs }: OverloadOptions): void => {
  for (const [name, value] of Object.entries({ inFlight, eventLoopDelayMs, forgetAfterMs })) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0)) {
      throw new TypeError(`overload: ${name} must be a positive integer, such as ${EXAMPLES[name as Limit]}`)
    }
  }
  if (inFlight === undefined && eventLoopDelayMs === undefined) {
    throw new TypeError('overload: set inFlight, such as 200, or eventLoopDelayMs, such as 500, or both')
  }
  if (eventLoopDelayMs !== undefined && measure === undefined) {
    throw new TypeError(
      'overload: eventLoopDelayMs needs measure, a function that says how late the event loop is',
    )
  }
}

type Limit = 'inFlight' | 'eventLoopDelayMs' | 'forgetAfterMs'
const EXAMPLES: Record<Limit, number> = { inFlight: 200, eventLoopDelayMs: 500, forgetAfterMs: 60_000 }
