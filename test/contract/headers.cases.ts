import { describe, expect, it } from 'vitest'
import { API_POLICY, expectGuarded } from './expectations.ts'
import { bearer, type Server } from './harness.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const ORIGIN = { origin: 'https://app.example' }

/** One request for every status and kind of answer. */
const ANSWERS: [what: string, status: number, path: string, init?: RequestInit][] = [
  ['a success', 200, '/open/ok'],
  ['HEAD', 200, '/open/ok', { method: 'HEAD' }],
  ['HEAD of an error', 404, '/open/none', { method: 'HEAD' }],
  ['HEAD of a probe', 200, '/livez', { method: 'HEAD' }],
  ['an OPTIONS that is no preflight', 200, '/open/ok', { method: 'OPTIONS' }],
  ['liveness', 200, '/health'],
  ['readiness', 200, '/health/ready'],
  ['an authenticated answer', 200, '/closed/ok', { headers: bearer() }],
  [
    'a created thing',
    201,
    '/open/order',
    { method: 'POST', headers: JSON_TYPE, body: '{"quantity":1,"lines":[]}' },
  ],
  ['nothing', 204, '/open/empty'],
  ['a stream', 200, '/open/chunks'],
  ['a page', 200, '/open/page'],
  ['what fetch brought', 200, '/open/fetched'],
  ['a permanent redirect', 301, '/open/moved'],
  ['a redirect', 302, '/open/found'],
  ["the platform's own redirect", 302, '/open/native-redirect'],
  ['not modified', 304, '/open/not-modified'],
  ['bad target', 400, '/open//ok'],
  ['bad JSON', 400, '/open/json', { method: 'POST', headers: JSON_TYPE, body: '{' }],
  ['no credentials', 401, '/closed/ok'],
  ['blocked', 403, '/api/seed'],
  ['forbidden by a route', 403, '/open/refuse/http-403'],
  ['not found', 404, '/open/none'],
  ['root', 404, '/'],
  ['wrong method of a route', 405, '/open/write', { method: 'DELETE' }],
  ['unlisted method', 405, '/open/ok', { method: 'PROPFIND' }],
  ['wrong method of a probe', 405, '/livez', { method: 'POST' }],
  ['conflict', 409, '/open/refuse/conflict'],
  ['a teapot', 418, '/open/refuse/http-418'],
  ['too large', 413, '/open/bytes', { method: 'POST', body: 'x'.repeat(70_000) }],
  ['unsupported type', 415, '/open/order', { method: 'POST', body: '{}' }],
  ['not valid', 422, '/open/order', { method: 'POST', headers: JSON_TYPE, body: '{}' }],
  ['limited by a route', 429, '/open/refuse/http-429'],
  ['an error', 500, '/open/throw/error'],
  ['an error page', 500, '/open/throw/error', { headers: { accept: 'text/html' } }],
  ['a page of what is not there', 404, '/open/none', { headers: { accept: 'text/html' } }],
  ['a broken stream', 500, '/open/stream/soon'],
  ['a database that is away', 503, '/open/refuse/database'],
  ['a handler that takes too long', 503, '/open/never'],
  ...([400, 410, 451, 500, 502, 507] as const).map((status): [string, number, string] => [
    `a route's own ${status}`,
    status,
    `/open/status/${status}`,
  ]),
]
const PREFLIGHT = { ...ORIGIN, 'access-control-request-method': 'PUT' }

export const headersCases = (server: () => Server): void => {
  describe('headers of every response', () => {
    it.each(ANSWERS)('%s: %i', async (_, status, path, init) => {
      const answer = await server().ask(path, init)
      expect(answer.status, answer.body.slice(0, 300)).toBe(status)
      expectGuarded(answer)
      if (!answer.header('content-type')?.startsWith('text/html')) {
        expect(answer.header('content-security-policy')).toBe(API_POLICY)
      }
      if (status === 405) expect(answer.header('allow')).toMatch(/\bGET\b|\bPUT\b/)
      if (status === 429 || status === 503) expect(answer.header('cache-control')).toContain('no-store')
      if (init?.method === 'HEAD' || status === 204) expect(answer.body).toBe('')
    })

    it('a preflight: 204', async () => {
      const answer = await server().ask('/open/ok', { method: 'OPTIONS', headers: PREFLIGHT })
      expect(answer.status).toBe(204)
      expectGuarded(answer)
    })

    it('each of them stands there once', async () => {
      for (const target of [
        '/open/ok',
        '/open/none',
        '/open/native-redirect',
        '/open/own-security',
        '/livez',
      ]) {
        const names = (await server().raw({ target })).headers.map(([name]) => name)
        expect(names.filter((name, at) => name !== 'vary' && names.indexOf(name) !== at)).toEqual([])
      }
    })

    it("a route may not undo them, but may bring its page's own policy", async () => {
      const undone = await server().ask('/open/own-security')
      expectGuarded(undone)
      expect(undone.header('x-correlation-id')).not.toBe('x')
      const page = await server().ask('/open/own-policy')
      expect(page.header('content-security-policy')).toBe("default-src 'self'")
      expect(page.header('x-content-type-options')).toBe('nosniff')
    })

    it('what a route set beside them stays', async () => {
      expect((await server().ask('/open/own-cache')).header('cache-control')).toBe('public, max-age=60')
      expect((await server().ask('/open/own-vary')).header('vary')).toMatch(/Accept-Language.*Origin/)
      const { headers } = await server().raw({ target: '/open/cookies' })
      const cookies = headers.filter(([name]) => name === 'set-cookie').map(([, value]) => value)
      expect(cookies).toEqual(['a=1; Path=/', 'b=2; Path=/'])
      expect((await server().ask('/open/found')).header('location')).toBe('/open/ok')
    })

    it.each([
      '/closed/ok',
      '/closed/own-cache',
      '/closed/page',
      '/closed/chunks',
      '/closed/none',
      '/open/own-cache',
    ])('no-store where the caller was somebody: %s', async (path) => {
      const answer = await server().ask(path, { headers: bearer() })
      expect(answer.header('cache-control')).toContain('no-store')
      expect(answer.header('cache-control')).not.toMatch(/public|max-age=60/)
    })

    it.each(['/livez', '/health', '/health/db', '/health/ready', '/readyz'])(
      'no-store on %s',
      async (path) => {
        expect((await server().ask(path)).header('cache-control')).toBe('no-store')
      },
    )
  })
}
