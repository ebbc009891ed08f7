/** Milliseconds by which a timer is late in a process that has nothing else to do, on any runtime. */
const ON_TIME_MS = 3
/** So many timers in a row, each of so many milliseconds, are on time before a process counts as having listened. */
const CHECKS = 3
const CHECK_MS = 5
/** Milliseconds after an answer in which the next one can be expected. */
const FLOW_MS = 50
/** A request that was sent so many milliseconds later does not stand in the same queue. */
const QUEUE_MS = 20
/** How many times as long as it was asked for a wait lasts at most. */
const LONGEST = 5

export interface Wait {
  /** Ends the wait. Says whether an answer came. */
  end(answered: boolean): void
}

/**
 * Deadlines that tell a store that is late from a process that is late itself, with a burst of requests or a handler
 * that computes: a single timer would hold the process' own delay against whomever it asked. A wait goes on for a
 * moment while
 *
 * - timers are late, and an answer may lie there unread, or
 * - answers come in to requests that were sent before or beside this one: it stands in a queue and moves.
 *
 * In a process that has time, and asks somebody who is silent, a wait ends when it should. Requests share numbers
 * here and nothing else.
 */
export const createPatience = () => {
  /** When timers were last seen to be on time. */
  let quietAt = Number.NEGATIVE_INFINITY
  /** When the last answer came, and when its request was sent. */
  let answeredAt = Number.NEGATIVE_INFINITY
  let answeredFrom = Number.NEGATIVE_INFINITY

  return {
    /** Calls back after so many milliseconds without an answer. */
    wait(milliseconds: number, isOver: () => void): Wait {
      const began = performance.now()
      let waited = 0
      let onTime = 0
      let timer: ReturnType<typeof setTimeout>

      const look = (due: number) => {
        const now = performance.now()
        const late = now - due
        onTime = late < ON_TIME_MS ? onTime + 1 : 0
        if (onTime >= CHECKS) quietAt = now
        const hasListened = quietAt >= began + milliseconds - CHECKS * CHECK_MS
        const isMoving = now - answeredAt < FLOW_MS && answeredFrom < began + QUEUE_MS
        if ((hasListened && !isMoving) || waited >= LONGEST * milliseconds) isOver()
        // What was lost is waited for again.
        else waitFor(onTime > 0 ? CHECK_MS : Math.min(milliseconds, Math.max(CHECK_MS, late)))
      }
      const waitFor = (part: number) => {
        const due = performance.now() + part
        waited += part
        timer = setTimeout(() => look(due), part)
      }
      waitFor(Math.max(CHECK_MS, milliseconds - (CHECKS - 1) * CHECK_MS))

      return {
        end(answered) {
          clearTimeout(timer)
          if (!answered) return
          answeredAt = performance.now()
          answeredFrom = began
        },
      }
    },
  }
}
