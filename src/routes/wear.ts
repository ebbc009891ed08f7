import type { Context, MiddlewareHandler } from 'hono'
import { respond } from '../answer/respond.ts'
import { ArrivedVisit } from '../gates/arrival.ts'
import { type Gate, isRefusal } from '../gates/gate.ts'

export interface WearOptions {
  /**
   * The address at the other end of the connection, as the runtime's `getConnInfo` of Hono says it. Without it a gate
   * that asks for the caller's address knows it only where a header may be believed.
   */
  peer?: (c: Context) => string | undefined
}

/**
 * Wears a single gate in any Hono app, without the rest of Parapet: this is how to adopt it piece by piece.
 *
 * @example
 * ```ts
 * app.use(wear(blockedEndpoints()))
 * app.use(wear(rateLimits({ policies }), { peer: (c) => getConnInfo(c).remote.address }))
 * ```
 */
export const wear = (gate: Gate, { peer }: WearOptions = {}): MiddlewareHandler =>
  async function wear(c, next) {
    const arrival = { peer: peer?.(c), waitUntil: (work: Promise<unknown>) => keepAlive(c, work) }
    const visit = new ArrivedVisit(c.req.raw, arrival, Date.now(), true)
    visit.path = c.req.path
    let status = 500
    try {
      const outcome = await gate(visit)
      c.req.raw = visit.request
      if (!outcome) await next()
      else c.res = isRefusal(outcome) ? respond(outcome, visit) : outcome
      for (const [name, value] of visit.answerHeaders) c.res.headers.set(name, value)
      status = c.res.status
    } finally {
      for (const tell of visit.afterwards) tell(status)
    }
  }

const keepAlive = (c: Context, work: Promise<unknown>): void => {
  try {
    c.executionCtx.waitUntil(work)
  } catch {
    // Only some runtimes end before the work does.
  }
}
