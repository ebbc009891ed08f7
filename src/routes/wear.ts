import type { MiddlewareHandler } from 'hono'
import { respond } from '../answer/respond.ts'
import { ArrivedVisit } from '../gates/arrival.ts'
import { type Gate, isRefusal } from '../gates/gate.ts'

/**
 * Wears a single gate in any Hono app, without the rest of Parapet: this is how to adopt it piece by piece.
 *
 * @example app.use(wear(blockedEndpoints()))
 */
export const wear = (gate: Gate): MiddlewareHandler =>
  async function wear(c, next) {
    const visit = new ArrivedVisit(c.req.raw, { waitUntil: () => {} }, Date.now(), true)
    visit.path = c.req.path
    const outcome = await gate(visit)
    c.req.raw = visit.request
    if (!outcome) await next()
    else c.res = isRefusal(outcome) ? respond(outcome, visit) : outcome
    for (const [name, value] of visit.answerHeaders) c.res.headers.set(name, value)
  }
