import { Hono } from 'hono'
import { type App, createApp, destructive, visitOf } from '../../src/parapet.ts'
import { bodyRoutes } from './body-routes.ts'
import { failingRoutes } from './failing-routes.ts'
import { LIMITED_POLICIES } from './limited-policies.ts'

/**
 * `team`: a team's routes alone, with a catch-all below `/api`. `reference`: beside the reference API.
 * `front`: in front of an origin, and as open as that is by default. `busy`: a team's that sheds load early.
 * `limited`: a team's with many limits. `plain`: the server of this repository.
 */
export type AppKind = 'team' | 'reference' | 'front' | 'busy' | 'limited' | 'plain'

/** How often handlers ran: any of them, those that destroy, those that wait for the end of a body. */
export interface Hits {
  handlers: number
  destructive: number
  held: number
}

const answers = () =>
  new Hono()
    .all('/ok', (c) => c.json({ ok: true, method: c.req.method }))
    .get('/who', (c) => c.json({ principal: visitOf(c).principal?.id ?? null }))
    .get('/path/:rest{.+}', (c) => c.json({ path: visitOf(c).path, rawPath: visitOf(c).rawPath }))
    .get('/ids', (c) => c.json({ correlationId: visitOf(c).correlationId, trace: { ...visitOf(c).trace } }))
    .get('/status/:code', (c) => c.json({ ok: true }, Number(c.req.param('code')) as 200))
    .get('/moved', (c) => c.redirect('/open/ok', 301))
    .get('/found', (c) => c.redirect('/open/ok'))
    .get('/native-redirect', (c) => Response.redirect(new URL('/open/ok', c.req.url), 302))
    .get('/fetched', () => fetch('data:text/plain,fetched'))
    .get('/empty', (c) => c.body(null, 204))
    .get('/not-modified', () => new Response(null, { status: 304, headers: { ETag: '"1"' } }))
    .get('/page', (c) => c.html('<!doctype html><title>A page</title><p>Hello'))
    .get('/own-policy', (c) => c.html('<p>Hi', 200, { 'Content-Security-Policy': "default-src 'self'" }))
    .get('/own-cache', (c) => c.json({ ok: true }, 200, { 'Cache-Control': 'public, max-age=60' }))
    .get('/own-vary', (c) => c.json({ ok: true }, 200, { Vary: 'Accept-Language' }))
    .get('/own-security', (c) => {
      for (const name of ['X-Content-Type-Options', 'X-Correlation-Id', 'X-XSS-Protection'])
        c.header(name, 'x')
      return c.json({ ok: true })
    })
    .get('/cookies', (c) => {
      c.header('Set-Cookie', 'a=1; Path=/', { append: true })
      c.header('Set-Cookie', 'b=2; Path=/', { append: true })
      return c.json({ ok: true })
    })
    .get('/chunks', () => {
      const chunks = ['one,', 'two,', 'three']
      return new Response(
        new ReadableStream<Uint8Array>({
          pull(controller) {
            const chunk = chunks.shift()
            if (chunk === undefined) controller.close()
            else controller.enqueue(new TextEncoder().encode(chunk))
          },
        }),
      )
    })

/** The app under test: a team whose routes do all that routes do, good and bad. */
export const contractApp = (kind: AppKind): App => {
  if (kind === 'plain') return createApp({ reference: true })
  const hits: Hits = { handlers: 0, destructive: 0, held: 0 }
  const wipe = (c: { json(value: object): Response }) => {
    hits.destructive++
    return c.json({ wiped: true })
  }
  const routes = new Hono()
    .get('/test/hits', (c) => c.json(hits))
    .use(async function count(_, next) {
      hits.handlers++
      await next()
    })
    .route('/open', answers())
    .route('/open', failingRoutes())
    .route('/open', bodyRoutes())
    .route('/closed', answers())
    .post('/closed/write', (c) => c.json({ written: true }))
    .put('/open/write', (c) => c.json({ written: true }))
    .patch('/open/write', (c) => c.json({ written: true }))
    .post('/open/hold', async (c) => {
      hits.held++
      return c.text(await c.req.text())
    })
    .post('/open/wipe', destructive(), wipe)
    .get('/open/wipe-by-get', destructive(), wipe)
    .all('/open/wipe/:id', destructive(), wipe)
    .route('/open/nested', new Hono().basePath('/deep').post('/wipe', destructive(), wipe))
    .mount('/open/mounted', new Hono().all('/wipe', destructive(), wipe).fetch as never)
    .delete('/closed/wipe', destructive(), wipe)
    .all('/api/seed', wipe)
    .all('/api/demo/users', wipe)

  if (kind !== 'front') routes.get('/packages/:name{.+}', (c) => c.json({ name: c.req.param('name') }))
  if (kind === 'team') {
    routes.all('/api/:x{.+}', (c) => c.json({ reached: c.req.param('x') }))
  }
  if (kind === 'busy') {
    routes.get('/open/burn/:ms', (c) => {
      const end = Date.now() + Number(c.req.param('ms'))
      while (Date.now() < end);
      return c.json({ burnt: true })
    })
  }
  if (kind === 'limited') {
    routes.post('/api/auth/login', async (c) => {
      const { password } = await c.req.json()
      return c.json({ ok: password === 'right' }, password === 'right' ? 200 : 401)
    })
    // By steps and not by the clock, which stands still on Workers.
    routes.get('/test/compute/:steps', (c) => {
      let sum = 0
      for (let left = Number(c.req.param('steps')); left > 0; left--) sum = Math.imul(sum + left, 31)
      return c.json({ sum })
    })
  }
  return createApp({
    routes,
    reference: kind === 'reference' || kind === 'front',
    ...(kind === 'limited' && { limits: LIMITED_POLICIES }),
    ...(kind === 'busy' && { overload: { inFlight: 3, eventLoopDelayMs: 400 } }),
    ...(kind !== 'front' && {
      open: [
        '/open/*',
        '/test/*',
        '/packages/*',
        ...(kind === 'team' || kind === 'limited' ? ['/api/*'] : []),
      ],
    }),
    blocked: ['/open/nuke'],
    encodedSlashes: ['/packages/*'],
    cors: { maxAge: 300 },
  })
}
