import { type Context, Hono } from 'hono'
import { compress } from 'hono/compress'
import { TrieRouter } from 'hono/router/trie-router'
import { findTargetHandler, isMiddleware } from 'hono/utils/handler'
import { getPath } from 'hono/utils/url'
import { explain } from '../answer/explain.ts'
import { respond } from '../answer/respond.ts'
import type { Refusal } from '../errors.ts'
import type { ArrivedVisit } from '../gates/arrival.ts'
import type { Visit } from '../gates/gate.ts'
import { parseJson } from '../gates/json-body.ts'
import { DESTRUCTIVE } from './destructive.ts'
import { visitOf } from './visit-of.ts'

// biome-ignore lint/suspicious/noExplicitAny: any team's app, whatever its own types
export type AnyHono = Hono<any, any, any>

export interface RoutesOptions {
  apps: readonly AnyHono[]
  /** Answers what no route does, such as the origin that Parapet stands in front of. */
  fallback?: ((visit: Visit) => Promise<Response>) | undefined
  /** Compress what callers accept compressed. Cloudflare does that by itself. */
  compressed: boolean
  /** What handlers read as `c.env`. */
  env: object
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const
const WITH_BODY = ['POST', 'PUT', 'PATCH', 'DELETE']

/** The routes behind the gates, in one Hono app, and what is known of them. */
export const createRoutes = ({ apps, fallback, compressed, env }: RoutesOptions) => {
  const hono = new Hono()
  if (compressed) hono.use(compress())
  hono.on(WITH_BODY, '*', async function strictJson(c, next) {
    c.req.json = async () => parseJson(await c.req.text()) as never
    await next()
  })
  for (const app of apps) hono.route('/', app)
  hono.onError((error, c) => {
    const refusal = explain(error)
    // The guard knows best how to speak of what nobody expected.
    if (refusal.code === 'INTERNAL_ERROR') throw error
    return respond(refusal, visitOf(c))
  })
  hono.notFound((c: Context) => {
    const visit = visitOf(c)
    return fallback && !isRouted(visit) ? fallback(visit) : respond(unknown(visit), visit)
  })

  const terminal = new TrieRouter<true>()
  const destructive = new TrieRouter<true>()
  let anyDestructive = false
  for (const { method, path, handler } of hono.routes) {
    const target = findTargetHandler(handler)
    if (DESTRUCTIVE in target) {
      destructive.add(method, path, true)
      anyDestructive = true
    } else if (!isMiddleware(target)) terminal.add(method, path, true)
  }

  const matches = (router: TrieRouter<true>, method: string, visit: Visit): boolean =>
    router.match(method === 'HEAD' ? 'GET' : method, getPath(visit.request))[0].length > 0
  const allowed = (visit: Visit): string[] =>
    METHODS.filter((method) => matches(terminal, method, visit)).flatMap((method) =>
      method === 'GET' ? ['GET', 'HEAD'] : [method],
    )
  const isRouted = (visit: Visit): boolean => allowed(visit).length > 0

  /** Why no route answers a visit. */
  const unknown = (visit: Visit): Refusal => {
    const methods = allowed(visit)
    return methods.length > 0 && !methods.includes(visit.method)
      ? { code: 'METHOD_NOT_ALLOWED', headers: { Allow: methods.join(', ') } }
      : { code: 'NOT_FOUND' }
  }

  return {
    answer: (visit: ArrivedVisit): Response | Promise<Response> =>
      hono.fetch(visit.request, env, visit as never),
    /** Whether a route, or the origin, would answer. */
    has: (visit: Visit): boolean =>
      matches(terminal, visit.method, visit) || (!!fallback && !isRouted(visit)),
    isDestructive: (visit: Visit): boolean =>
      anyDestructive && METHODS.some((method) => matches(destructive, method, visit)),
    unknown,
  }
}
