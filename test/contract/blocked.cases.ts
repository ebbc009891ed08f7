import { describe, expect, it } from 'vitest'
import { expectProblem } from './expectations.ts'
import { bearer, lines, OPERATOR_TOKEN, type Server } from './harness.ts'
import type { RawAnswer } from './raw-http.ts'

export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

const BLOCKED = [
  '/api/seed',
  '/api/demo',
  '/api/test-data',
  '/api/mock',
  '/api/reset-demo',
  '/api/clear-data',
]

/** Written so that every runtime hands them to us as they are. They are blocked, not only refused. */
export const DISGUISES: [what: string, target: string][] = [
  ['a slash at the end', '/api/seed/'],
  ['something below', '/api/seed/users/1'],
  ['upper case', '/API/SEED'],
  ['mixed case', '/aPi/sEeD'],
  ['an encoded letter', '/api/%73eed'],
  ['all letters encoded', '/%61%70%69/%73%65%65%64'],
  ['an encoded upper-case letter', '/api/%53EED'],
  ['a long s', '/api/%C5%BFeed'],
  ['full-width letters', '/api/%EF%BD%93%EF%BD%85%EF%BD%85%EF%BD%84'],
  ['a parameter', '/api/seed;a=b'],
  ['a parameter without a name', '/api/seed;'],
  ['a parameter before', '/api;v=1/seed'],
  ['an encoded parameter', '/api/seed%3Ba=b'],
  ['a file ending', '/api/seed.json'],
  ['another file ending', '/api/seed.html'],
  ['a file ending and a slash', '/api/seed.json/'],
  ['a query', '/api/seed?a=b'],
  ['an empty query', '/api/seed?'],
  ['a query with dots', '/api/seed?/../ok'],
  ['an encoded question mark', '/api/seed%3Fa'],
  ['an encoded fragment', '/api/seed%23a'],
  ['a space behind', '/api/seed%20'],
  ['a space before', '/api/%20seed'],
  ['a no-break space', '/api/seed%C2%A0'],
  ['a byte-order mark', '/api/seed%EF%BB%BF'],
  ['a Kelvin sign', '/api/moc%E2%84%AA'],
  ['a reset with a long s', '/api/re%C5%BFet-demo'],
  ['a full-width hyphen', '/api/test%EF%BC%8Ddata'],
  ['its own host before', 'http://HOST/api/seed'],
]

/** Written so that a gate before refuses them, or a runtime rewrites them: 400 or 403, whoever answers. */
export const REFUSED: string[] = [
  '//api/seed',
  '/api//seed',
  '/api/seed//',
  '/./api/seed',
  '/api/./seed',
  '/api/seed/.',
  '/api/x/../seed',
  '/open/../api/seed',
  '/api/x/%2e%2e/seed',
  '/api/%2e/seed',
  '/api/..;/api/seed',
  '/api/x/..;/seed',
  '/api%2fseed',
  '/api%2Fseed',
  '/api/seed%2fx',
  '/api/seed%2f',
  '/api%5cseed',
  '/api\\seed',
  '\\api\\seed',
  '/api/seed\\',
  '/api/seed%00',
  '/api/seed%00.json',
  '/api/see%64%00',
  '/api/seed%0a',
  '/api/seed%0d%0a',
  '/api/seed%09',
  '/api/%2573eed',
  '/api/%25%37%33eed',
  '/api/s%65%65d%25',
  '/api/seed%',
  '/api/seed%zz',
  '/api/%c1%b3eed',
  '/api/seed%ff',
  '/api/%u0073eed',
  '/api/seed\t',
  '/api/seed\x01',
  '/packages/..%2fapi%2fseed',
  '/packages/%2e%2e%2fapi%2fseed',
  'http://HOST//api/seed',
  'http://HOST/x/../api/seed',
  'http://evil.example/api/seed',
  'HTTP://HOST/api/seed',
  'http:///api/seed',
  'http:/api/seed',
  'http://user@HOST/api/seed',
  'ws://HOST/api/seed',
  '/;x/api/seed',
  '/api/%20/seed',
  'api/seed',
  '/api/seed#x',
]

const INNOCENT = [
  '/api/seedlings',
  '/api/demographics',
  '/api/mockingbird',
  '/api/seed-catalogue',
  '/api/test-database',
  '/api/users/seed',
  '/api/v1/demo',
  '/api/resets',
  '/apis/seed',
]

const OVERRIDES: [string, string][][] = [
  [['X-Original-URL', '/api/seed']],
  [['X-Rewrite-URL', '/api/seed']],
  [['X-Forwarded-Path', '/api/seed']],
  [['X-Forwarded-Prefix', '/api/seed']],
  [['X-Forwarded-Host', 'evil.example']],
  [['X-HTTP-Method-Override', 'DELETE']],
  [['X-Method-Override', 'DELETE']],
]

/** In production and staging. */
export const blockedCases = (server: () => Server, { production = true } = {}): void => {
  describe('blocked endpoints', () => {
    const withHost = (target: string) => target.replace('HOST', `127.0.0.1:${server().port}`)
    const everyMethod = async (
      target: string,
      headers: [string, string][],
      expectation: (answer: RawAnswer, method: string) => void,
    ) => {
      const handlers = await server().handlersDuring(async () => {
        for (const method of METHODS) {
          const request = {
            method,
            target: withHost(target),
            headers,
            ...(method === 'POST' && { body: '{}' }),
          }
          expectation(await server().raw(request), method)
        }
      })
      expect(handlers).toBe(0)
    }
    const is403 = (answer: RawAnswer, method: string) => {
      expect(answer.status, method).toBe(403)
      if (method !== 'HEAD') expectProblem(answer, 403, 'ENDPOINT_BLOCKED', { production })
    }
    const isRefused = (answer: RawAnswer, method: string) => {
      expect([400, 403, 505], `${method} ${answer.body.slice(0, 80)}`).toContain(answer.status)
    }

    it.each(BLOCKED)('%s, for every method', (path) => everyMethod(path, [], is403))
    it.each(DISGUISES)('in the disguise of %s, for every method', (_, target) =>
      everyMethod(target, [], is403),
    )
    it.each(REFUSED)('and where it reads as %j', (target) => everyMethod(target, [], isRefused))

    it('with valid credentials too', async () => {
      for (const target of ['/api/seed', '/api/SEED/', '/api/demo;x', '/closed/wipe']) {
        await everyMethod(target, [['Authorization', `Bearer ${OPERATOR_TOKEN}`]], is403)
        await everyMethod(target, [['X-API-Key', OPERATOR_TOKEN]], is403)
      }
    })

    it('preflights too', async () => {
      for (const target of ['/api/seed', '/api/seed/x', '/API/seed/', '/api/seed.json', '/open/wipe']) {
        const headers: [string, string][] = [
          ['Origin', 'https://app.example'],
          ['Access-Control-Request-Method', 'POST'],
        ]
        is403(await server().raw({ method: 'OPTIONS', target, headers }), 'OPTIONS')
      }
    })

    it.each(OVERRIDES)('whatever a header says of another path or method: %s', async (header) => {
      await everyMethod('/api/seed', [header], is403)
      const answer = await server().raw({ method: 'POST', target: '/api/innocent', headers: [header] })
      expect(JSON.parse(answer.body)).toEqual({ reached: 'innocent' })
      const asked = await server().raw({ method: 'POST', target: '/open/ok', headers: [header] })
      expect(JSON.parse(asked.body)).toEqual({ ok: true, method: 'POST' })
    })

    it.each(['/api/ok?_method=DELETE', '/api/ok?url=/api/seed'])('%s is innocent', async (target) => {
      expect(JSON.parse((await server().raw({ method: 'POST', target })).body)).toEqual({ reached: 'ok' })
    })

    it.each(INNOCENT)('%s is not blocked', async (path) => {
      const answer = await server().ask(path)
      expect([200, 401, 404]).toContain(answer.status)
      if (path.startsWith('/api/')) expect(answer.status).toBe(200)
    })

    it.each(['/open/wipe', '/open/wipe/7', '/open/nested/deep/wipe', '/open/wipe-by-get', '/closed/wipe'])(
      'a route that is declared destructive: %s, for every method, before anyone is asked who they are',
      (path) => everyMethod(path, [], is403),
    )

    it.each(['/open/%77ipe', '/open/wipe/a%20b', '/open/wipe?x', '/open/nested/deep/wip%65'])(
      'and in a disguise that its router would read: %s',
      (target) => everyMethod(target, [], is403),
    )

    it('mounted where the start cannot see it, it refuses all the same', async () => {
      for (const method of METHODS) {
        is403(await server().raw({ method, target: '/open/mounted/wipe', headers: [] }), method)
      }
      expect((await server().hits()).destructive).toBe(0)
    })

    it("the app's own list counts too", () => everyMethod('/open/NUKE/', [], is403))

    it('every attempt is in the log, as security', async () => {
      const headers = { 'x-correlation-id': `attempt-${production}`, ...bearer() }
      await server().ask('/api/Seed/users', { method: 'DELETE', headers })
      const logged = () =>
        server()
          .process.output()
          .split('\n')
          .filter((line) => line.includes(`attempt-${production}`) && /security/.test(line))
      await expect.poll(logged).toHaveLength(1)
      if (production) {
        expect(lines(logged().join('\n'))[0]).toMatchObject({
          category: 'security',
          method: 'DELETE',
          path: '/api/Seed/users',
        })
      }
    })

    it('no destructive handler ever ran', async () => {
      expect((await server().hits()).destructive).toBe(0)
    })
  })
}

/** In development and test. */
export const unblockedCases = (server: () => Server): void => {
  describe('endpoints that are blocked elsewhere', () => {
    it.each(['/api/seed', '/api/demo/users', '/open/wipe/7', '/open/mounted/wipe'])(
      'answer: %s',
      async (path) => {
        const answer = await server().ask(path, { method: 'POST' })
        expect(answer.status).toBe(200)
        expect(JSON.parse(answer.body)).toEqual({ wiped: true })
      },
    )

    it('but a route still asks who it is', async () => {
      expect((await server().ask('/closed/wipe', { method: 'DELETE' })).status).toBe(401)
      expect((await server().ask('/closed/wipe', { method: 'DELETE', headers: bearer() })).status).toBe(200)
    })

    it('and bad targets are refused there too', async () => {
      expectProblem(await server().raw({ target: '/api//seed' }), 400, 'BAD_REQUEST_TARGET', {
        production: false,
      })
    })
  })
}
