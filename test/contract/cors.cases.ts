import { describe, expect, it } from 'vitest'
import { expectGuarded, expectProblem } from './expectations.ts'
import { bearer, type Server } from './harness.ts'

/** As the environment of the server under test allows them, by each of its variables. */
const ALLOWED = [
  'https://app.example',
  'https://admin.example:8443',
  'https://base.example',
  'https://repl.example',
]

const DISALLOWED = [
  'null',
  'https://evil.example',
  'http://app.example',
  'https://app.example:444',
  'https://app.example.evil.example',
  'https://evilapp.example',
  'https://sub.app.example',
  'https://app.example/',
  'https://APP.example',
  'https://app.example@evil.example',
  'https://app.exampl',
  '*',
  '',
  'file://',
]

const ERRORS: [status: number, path: string, init?: RequestInit][] = [
  [400, '/open/json', { method: 'POST', body: '{' }],
  [401, '/closed/ok'],
  [403, '/api/seed'],
  [404, '/open/none'],
  [405, '/open/write', { method: 'DELETE' }],
  [413, '/open/bytes', { method: 'POST', body: 'x'.repeat(70_000) }],
  [422, '/open/refuse/validation'],
  [429, '/open/refuse/http-429'],
  [500, '/open/throw/error'],
  [503, '/open/refuse/database'],
]

const ALLOW = [
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-allow-methods',
]

export const corsCases = (server: () => Server): void => {
  describe('CORS', () => {
    const from = (origin: string, path = '/open/ok', init: RequestInit = {}) =>
      server().ask(path, { ...init, headers: { ...init.headers, origin } })
    const preflight = (origin: string, path = '/open/ok', more: Record<string, string> = {}) =>
      from(origin, path, { method: 'OPTIONS', headers: { 'access-control-request-method': 'PUT', ...more } })

    it.each(ALLOWED)('%s may read answers, with credentials', async (origin) => {
      const answer = await from(origin)
      expect(answer.status).toBe(200)
      expect(answer.header('access-control-allow-origin')).toBe(origin)
      expect(answer.header('access-control-allow-credentials')).toBe('true')
      const exposed = answer.header('access-control-expose-headers')?.toLowerCase().split(/,\s*/)
      expect(exposed).toEqual(
        expect.arrayContaining([
          'x-correlation-id',
          'ratelimit',
          'ratelimit-policy',
          'x-ratelimit-limit',
          'x-ratelimit-remaining',
          'x-ratelimit-reset',
          'retry-after',
        ]),
      )
      expect(answer.header('vary')?.split(/,\s*/)).toContain('Origin')
    })

    it.each(DISALLOWED)('%j may not', async (origin) => {
      const headers: [string, string][] = [['Origin', origin]]
      const answer = await server().raw({ target: '/open/ok', headers })
      expect(answer.status).toBe(200)
      for (const name of ALLOW) expect(answer.header(name)).toBeUndefined()
      expect(answer.header('vary')?.split(/,\s*/)).toContain('Origin')
    })

    it.each(ALLOWED)('answers a preflight from %s', async (origin) => {
      const handlers = await server().handlersDuring(async () => {
        const answer = await preflight(origin, '/open/ok', {
          'access-control-request-headers': 'authorization, x-api-key',
        })
        expect(answer.status).toBe(204)
        expect(answer.body).toBe('')
        expect(answer.header('access-control-allow-origin')).toBe(origin)
        expect(answer.header('access-control-allow-credentials')).toBe('true')
        expect(answer.header('access-control-allow-methods')?.split(/,\s*/)).toEqual(
          expect.arrayContaining(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
        )
        expect(answer.header('access-control-allow-headers')).toBe('authorization, x-api-key')
        expect(answer.header('access-control-max-age')).toBe('300')
        for (const name of ['Origin', 'Access-Control-Request-Method', 'Access-Control-Request-Headers']) {
          expect(answer.header('vary')?.split(/,\s*/)).toContain(name)
        }
        expectGuarded(answer)
      })
      expect(handlers).toBe(0)
    })

    it('answers it without credentials, for a route that needs them', async () => {
      expect((await preflight('https://app.example', '/closed/ok')).status).toBe(204)
    })

    it.each(DISALLOWED.filter(Boolean))('answers no preflight from %j', async (origin) => {
      const answer = await preflight(origin, '/closed/write')
      expect(answer.status).not.toBe(204)
      for (const name of ALLOW) expect(answer.header(name)).toBeUndefined()
    })

    it.each([
      ['no Access-Control-Request-Method', { origin: 'https://app.example' }],
      ['no Origin', { 'access-control-request-method': 'PUT' }],
      ['neither', {}],
    ])('an OPTIONS with %s is no preflight', async (_, headers) => {
      const reached = await server().ask('/open/ok', { method: 'OPTIONS', headers: headers as HeadersInit })
      expect(JSON.parse(reached.body)).toEqual({ ok: true, method: 'OPTIONS' })
      const refused = await server().ask('/closed/write', {
        method: 'OPTIONS',
        headers: headers as HeadersInit,
      })
      expect(expectProblem(refused, 405, 'METHOD_NOT_ALLOWED')).toBeDefined()
      expect(refused.header('allow')).toBe('POST')
    })

    it('a GET with the headers of a preflight is none', async () => {
      const headers = { 'access-control-request-method': 'PUT' }
      expect((await from('https://app.example', '/open/ok', { headers })).status).toBe(200)
    })

    it('repeats only names of headers', async () => {
      const answer = await preflight('https://app.example', '/open/ok', {
        'access-control-request-headers': 'x-a, <script>, x b',
      })
      expect(answer.header('access-control-allow-headers') ?? '').not.toMatch(/<|x b/)
    })

    it.each(ERRORS)('an allowed origin can read a %i of %s', async (status, path, init) => {
      const answer = await from('https://app.example', path, init)
      expect(answer.status).toBe(status)
      expect(answer.header('access-control-allow-origin')).toBe('https://app.example')
      expect(answer.header('access-control-expose-headers')).toContain('X-Correlation-Id')
      expect(answer.header('vary')?.split(/,\s*/)).toContain('Origin')
    })

    it('is for probes and authenticated answers as well', async () => {
      for (const [path, init] of [['/livez'], ['/closed/ok', { headers: bearer() }]] as const) {
        const answer = await from('https://app.example', path, init)
        expect(answer.status).toBe(200)
        expect(answer.header('access-control-allow-origin')).toBe('https://app.example')
      }
    })

    it('never says *', async () => {
      for (const origin of [...ALLOWED, ...DISALLOWED.filter(Boolean)]) {
        for (const answer of [await from(origin), await preflight(origin)]) {
          expect(answer.header('access-control-allow-origin')).not.toBe('*')
        }
      }
    })
  })
}
