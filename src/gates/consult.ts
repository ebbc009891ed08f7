import type { Limiter } from '../limits/limiter.ts'
import type { Store } from '../store/store.ts'
import type { Switchboard } from '../switches/switchboard.ts'
import type { Gate, Visit } from './gate.ts'

export interface ConsultOptions {
  board: Switchboard
  limiter: Limiter
  store: Store
}

/**
 * Makes sure that the switches are known for the gates that follow. When it is time to read them again, the limits of
 * this visit are asked for now, so that the read goes along with them: one request to Redis for both.
 */
export const consult = ({ board, limiter, store }: ConsultOptions): Gate => {
  const look = async (visit: Visit): Promise<undefined> => {
    const decision = await limiter.ask(visit)
    if (!board.isStale(visit.now)) return
    // Somebody else is asking, unless its request has died.
    if (!board.isDue(visit.now)) await board.settled()
    // A visit that has waited for the store in vain does not wait again.
    if (board.isDue(visit.now) && !decision?.fresh) await store.charge([], visit)
  }
  return function consult(visit) {
    return board.isStale(visit.now) ? look(visit) : undefined
  }
}
