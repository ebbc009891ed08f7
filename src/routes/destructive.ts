import type { MiddlewareHandler } from 'hono'
import { AppError } from '../errors.ts'
import { visitOf } from './visit-of.ts'

export const DESTRUCTIVE = Symbol.for('parapet.destructive')

/**
 * Declares a route destructive where it is defined. In production and staging it is refused for every method,
 * before anyone is asked who they are, however the route is mounted.
 *
 * @example app.post('/tenants/:id/wipe', destructive(), (c) => wipe(c.req.param('id')))
 */
export const destructive = (): MiddlewareHandler =>
  Object.assign(
    // Mounted where the start cannot see it, the route still refuses by itself.
    async function destructive(c: Parameters<MiddlewareHandler>[0], next: () => Promise<void>) {
      if (visitOf(c).guarded) throw new AppError('ENDPOINT_BLOCKED')
      await next()
    },
    { [DESTRUCTIVE]: true },
  )
