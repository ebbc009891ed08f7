import type { Context } from 'hono'
import { ArrivedVisit } from '../gates/arrival.ts'
import type { Visit } from '../gates/gate.ts'

/**
 * The visit that a route answers: who is asking, the ids for a log line, where the call came from.
 *
 * @throws TypeError where the route is not behind Parapet
 * @example app.get('/me', (c) => c.json({ id: visitOf(c).principal?.id }))
 */
export const visitOf = (c: Context): Visit => {
  const visit = findVisit(c)
  if (visit) return visit
  throw new TypeError('This route is not behind createApp, so that it has no visit.')
}

export const findVisit = (c: Context): ArrivedVisit | undefined => {
  try {
    const visit: unknown = c.executionCtx
    return visit instanceof ArrivedVisit ? visit : undefined
  } catch {
    return undefined
  }
}
