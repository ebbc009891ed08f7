/** So many timers in a row, of so many milliseconds each, are on time in a process that has time to listen. */
const CHECKS = 5
const CHECK_MS = 5
const ON_TIME_MS = 3
/** How many times as long as was asked for a wait lasts at most, beside what timers were late. */
const LONGEST = 3

/** When this process was last seen to have time. */
let listenedAt = Number.NEGATIVE_INFINITY

/**
 * Calls back after so many milliseconds, once this process has had a moment to listen: while it computes, or a burst
 * of requests keeps it busy, an answer may lie there unread, and that time is not held against whoever was asked. Nor
 * is it over while others are being answered: then there is a queue, and it moves.
 * In a process that has time to spare, and asks somebody who is silent, it is a timer like any other.
 *
 * @returns ends the wait
 */
export const patiently = (
  milliseconds: number,
  isOver: () => void,
  isMoving: () => boolean = () => false,
): (() => void) => {
  const began = performance.now()
  let waited = 0
  let onTime = 0
  let timer: ReturnType<typeof setTimeout>

  const wait = (part: number) => {
    const due = performance.now() + part
    waited += part
    timer = setTimeout(() => {
      const now = performance.now()
      onTime = now - due < ON_TIME_MS ? onTime + 1 : 0
      if (onTime >= CHECKS) listenedAt = now
      const hasListened = listenedAt >= began + milliseconds - CHECKS * CHECK_MS
      if (waited >= LONGEST * milliseconds || (hasListened && !isMoving())) isOver()
      else wait(CHECK_MS)
    }, part)
  }
  wait(Math.max(CHECK_MS, milliseconds - (CHECKS - 1) * CHECK_MS))
  return () => clearTimeout(timer)
}
