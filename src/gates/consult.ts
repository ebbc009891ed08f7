import type { Limiter } from '../limits/limiter.ts'
import type { Store } from '../store/store.ts'
import type { Switchboard } from '../switches/switchboard.ts'
import type { Gate, Visit } from './gate.ts'

export interface ConsultOptions {
  board: Switchboard
  limiter: Limiter
  store: Store
  /** Whether a gate that follows refuses a visit, as far as is known. */
  isRefused?: (visit: Visit) => boolean | Promise<boolean>
}

/**
 * Makes sure that the switches are known for the gates that follow. When it is time to read them again, the limits of
 * this visit are asked for now, so that the read goes along with them: one request to Redis for both. A visit that
 * will be refused as far as is known is charged for nothing: whoever comes back to a closed house all the time would
 * find his limits used up once it is open.
 */
export const consult = ({ board, limiter, store, isRefused = () => false }: ConsultOptions): Gate => {
  const look = async (visit: Visit): Promise<undefined> => {
    const refused = isRefused(visit)
    const isOut = refused instanceof Promise ? await refused : refused
    const decision = isOut ? undefined : await limiter.ask(visit)
    // A visit that has waited for the store in vain waits for nobody else: what was known last stands.
    if (!board.isStale(visit.now) || decision?.degraded) return
    // Somebody else is asking, unless its request has died.
    if (!board.isDue(visit.now)) await board.settled()
    if (board.isDue(visit.now) && !decision?.fresh) await store.charge([], visit)
  }
  return function consult(visit) {
    return board.isStale(visit.now) ? look(visit) : undefined
  }
}
