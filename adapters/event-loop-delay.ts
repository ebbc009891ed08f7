/** Milliseconds. How finely lateness is seen. */
const EVERY_MS = 20
/** What was late is forgiven by half in this time, so that a second later it is all but forgotten. */
const HALF_LIFE_MS = 250

/**
 * Makes the function that says how late this process' event loop is, in milliseconds: how long something that is due
 * now, or was in the last moments, had to wait. Nothing is measured before it is asked for the first time.
 *
 * `monitorEventLoopDelay` of `node:perf_hooks` is not used: it counts its own interval on Node and not on Bun, it
 * forgets nothing until it is reset, and it does not see a delay before that is over.
 */
export const createEventLoopDelay = (clock: () => number = () => performance.now()): (() => number) => {
  let due: number | undefined
  let worst = 0
  let seen = 0

  const delay = (now: number): number =>
    Math.max(0, now - (due ?? now), worst * 0.5 ** ((now - seen) / HALF_LIFE_MS))

  const sample = () => {
    const now = clock()
    worst = delay(now)
    seen = now
    due = now + EVERY_MS
    setTimeout(sample, EVERY_MS).unref()
  }

  return function eventLoopDelay() {
    if (due === undefined) sample()
    return delay(clock())
  }
}
