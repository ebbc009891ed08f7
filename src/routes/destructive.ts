import type { Context, MiddlewareHandler, Next } from 'hono'
import { respond } from '../answer/respond.ts'
import { ArrivedVisit } from '../gates/arrival.ts'
import { findVisit } from './visit-of.ts'

export const DESTRUCTIVE = Symbol.for('parapet.destructive')

/**
 * Declares a route destructive where it is defined. In production and staging it is refused for every method,
 * before anyone is asked who they are, however the route is mounted. Outside of `createApp` it is always refused.
 *
 * @example app.post('/tenants/:id/wipe', destructive(), (c) => wipe(c.req.param('id')))
 */
export const destructive = (): MiddlewareHandler =>
  Object.assign(
    // Mounted where the start cannot see it, the route still refuses by itself.
    async function destructive(c: Context, next: Next) {
      const visit = findVisit(c) ?? new ArrivedVisit(c.req.raw, { waitUntil: () => {} }, Date.now(), true)
      if (visit.guarded) return respond({ code: 'ENDPOINT_BLOCKED' }, visit)
      await next()
    },
    { [DESTRUCTIVE]: true },
  )
