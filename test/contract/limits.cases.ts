import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CANARY } from './canary.ts'
import { expectGuarded, expectProblem } from './expectations.ts'
import { type FakeRedis, startFakeRedis } from './fake-dependency.ts'
import { type Answer, bearer, describeServer, OPERATOR_TOKEN, type Server } from './harness.ts'
import { expectTold, limitsOf, newcomer, waitOf } from './limit-headers.ts'
import { limitsFailingCases } from './limits-failing.cases.ts'
import { limitsRequestsCases } from './limits-requests.cases.ts'
import type { Runtime, Variables } from './runtimes.ts'

const ORIGIN = 'https://app.example'
const QUOTA_EXCEEDED = 'https://iana.org/assignments/http-problem-types#quota-exceeded'

export const limitedEnvironment = ({ url }: FakeRedis, more: Variables = {}): Variables => ({
  NODE_ENV: 'production',
  LOG_FORMAT: 'json',
  INTERNAL_API_KEY: OPERATOR_TOKEN,
  CORS_ORIGIN: ORIGIN,
  BODY_LIMIT_BYTES: '1000',
  TRUST_PROXY: '1',
  UPSTASH_REDIS_REST_URL: url,
  UPSTASH_REDIS_REST_TOKEN: CANARY,
  ...more,
})

/** Whatever a limited route answers. */
const ROUTES: [status: number, path: string, policies: string[], init?: RequestInit][] = [
  [200, '/open/path/one/x', ['api']],
  [200, '/open/path/two/x', ['api', 'second']],
  [200, '/open/path/three/x', ['api', 'second', 'third']],
  [200, '/open/path/exact/x', ['api', 'exact']],
  [200, '/open/ok', ['api', 'read']],
  [200, '/open/ok', ['api', 'read'], { method: 'HEAD' }],
  [200, '/open/ok', ['api', 'write'], { method: 'POST' }],
  [200, '/open/ok', ['api'], { method: 'OPTIONS' }],
  [200, '/open/chunks', ['api']],
  [200, '/open/page', ['api']],
  [200, '/closed/ok', ['api', 'closed'], { headers: bearer() }],
  [204, '/open/empty', ['api']],
  [301, '/open/moved', ['api']],
  [302, '/open/native-redirect', ['api']],
  [304, '/open/not-modified', ['api']],
  [400, '/open/json', ['api'], { method: 'POST', body: '{' }],
  [401, '/closed/ok', ['api', 'closed']],
  [401, '/api/auth/login', ['api', 'login'], { method: 'POST', body: '{}' }],
  [404, '/open/none', ['api']],
  [404, '/none', ['api']],
  [405, '/open/write', ['api'], { method: 'DELETE' }],
  [413, '/open/bytes', ['api'], { method: 'POST', body: 'x'.repeat(2000) }],
  [422, '/open/refuse/validation', ['api']],
  [500, '/open/throw/error', ['api']],
  [503, '/open/refuse/database', ['api']],
]

export const limitsCases = (runtime: Runtime): void => {
  describe('limits', () => {
    let redis: FakeRedis
    beforeAll(async () => {
      redis = await startFakeRedis()
    })
    afterAll(() => redis.close())
    const options = (more?: Variables) => () => ({
      app: 'limited' as const,
      env: limitedEnvironment(redis, more),
    })

    describeServer('by a Redis', runtime, options(), (server) => {
      const asSomebody =
        (who: HeadersInit) =>
        (path: string, init: RequestInit = {}) =>
          server().ask(path, { ...init, headers: { ...who, ...init.headers } as Record<string, string> })
      /** Asks again and again until refused, at most so often, and returns the refusal and how many were admitted. */
      const exhaust = async (ask: () => Promise<Answer>, most = 20) => {
        for (let admitted = 0; admitted < most; admitted++) {
          const answer = await ask()
          if (answer.status === 429) return { admitted, answer }
        }
        throw new Error(`${most} were admitted`)
      }

      describe('headers', () => {
        it.each(ROUTES)('%i %s by %j', async (status, path, policies, init) => {
          const ask = asSomebody(newcomer())
          const answer = await ask(path, { ...init, headers: { ...init?.headers, origin: ORIGIN } })
          expect(answer.status).toBe(status)
          for (const { q, w, r, t } of Object.values(expectTold(answer, policies))) {
            expect(r).toBe(q - 1)
            expect(t).toBeGreaterThanOrEqual(1)
            expect(t).toBeLessThanOrEqual(w)
          }
          const exposed = answer.header('access-control-expose-headers')?.toLowerCase().split(/,\s*/)
          const headers = ['RateLimit', 'RateLimit-Policy', 'Retry-After']
          const legacy = ['Limit', 'Remaining', 'Reset'].map((name) => `X-RateLimit-${name}`)
          const names = [...headers, ...legacy].map((name) => name.toLowerCase())
          expect(exposed).toEqual(expect.arrayContaining(names))
        })

        it('count down, and say when the limit is whole again', async () => {
          const ask = asSomebody(newcomer())
          for (let i = 1; i <= 10; i++) {
            const { hourly } = expectTold(await ask('/open/path/hourly/x'), ['api', 'hourly'])
            expect(hourly).toEqual({ q: 10, w: 3600, r: 10 - i, t: expect.any(Number) })
            // One comes back every six minutes; the test itself takes seconds.
            expect(Math.abs((hourly?.t ?? 0) - i * 360)).toBeLessThan(10)
          }
          const { answer, admitted } = await exhaust(() => ask('/open/path/hourly/x'), 1)
          expect(admitted).toBe(0)
          expect(limitsOf(answer).hourly).toMatchObject({ r: 0, t: waitOf(answer) })
          expect(Math.abs(waitOf(answer) - 360)).toBeLessThan(10)
        })

        it('are of the tightest limit where there is room for one only', async () => {
          const ask = asSomebody(newcomer())
          const answer = await ask('/open/path/three/x')
          expect(answer.header('x-ratelimit-limit')).toBe('2')
          expect(answer.header('x-ratelimit-remaining')).toBe('1')
        })
      })

      describe('a refusal', () => {
        it('says by what, until when, and in the one shape of errors', async () => {
          const ask = asSomebody(newcomer())
          const { admitted, answer } = await exhaust(() => ask('/open/path/three/x'))
          expect(admitted).toBe(2)
          const members = ['retryAfter', 'violated-policies']
          const body = expectProblem(answer, 429, 'RATE_LIMITED', { path: '/open/path/three/x', members })
          expect(body.type).toBe(QUOTA_EXCEEDED)
          expect(body['violated-policies']).toEqual(['third'])
          expect(body.retryAfter).toBe(waitOf(answer))
          expect(answer.header('cache-control')).toBe('no-store')
          expect(answer.header('x-ratelimit-limit')).toBe('2')
          expect(answer.header('x-ratelimit-remaining')).toBe('0')
          expect(limitsOf(answer).third).toMatchObject({ r: 0, t: waitOf(answer) })

          const again = await ask('/open/path/three/x')
          expectProblem(again, 429, 'RATE_LIMITED', { members })
          expect(limitsOf(again).third).toMatchObject({ r: 0, t: waitOf(again) })
        })

        it('is a page for a browser', async () => {
          const ask = asSomebody({ ...newcomer(), accept: 'text/html' })
          const { answer } = await exhaust(() => ask('/open/path/hourly/x'))
          expect(answer.header('content-type')).toMatch(/^text\/html/)
          expect(answer.body).toMatch(/^<!doctype html>/i)
          expect(answer.body).toContain('429')
          expect(answer.header('cache-control')).toBe('no-store')
          expect(waitOf(answer)).toBeGreaterThan(300)
          expectGuarded(answer)
        })

        it('charges none of the other limits', async () => {
          const ask = asSomebody(newcomer())
          expect((await exhaust(() => ask('/open/path/three/x'))).admitted).toBe(2)
          for (let i = 0; i < 10; i++) await ask('/open/path/three/x')
          expect((await ask('/open/path/two/x')).status).toBe(200)
        })

        it('reaches no handler, and no body is read for it', async () => {
          const ask = asSomebody(newcomer())
          const post = () => ask('/open/ok', { method: 'POST', body: 'x'.repeat(2000) })
          expect((await post()).status).toBe(413)
          expect((await post()).status).toBe(413)
          expect(await server().handlersDuring(post)).toBe(0)
          expectProblem(await post(), 429, 'RATE_LIMITED', { members: ['retryAfter', 'violated-policies'] })
        })
      })

      describe('who and what is counted', () => {
        it('a HEAD as a GET', async () => {
          const ask = asSomebody(newcomer())
          for (const method of ['GET', 'HEAD', 'HEAD']) {
            expect((await ask('/open/ok', { method })).status).toBe(200)
          }
          const refused = await ask('/open/ok', { method: 'HEAD' })
          expect(refused.status).toBe(429)
          expect(refused.body).toBe('')
          expect(waitOf(refused)).toBeGreaterThanOrEqual(1)
          expect((await ask('/open/ok')).status).toBe(429)
          expect((await ask('/open/ok', { method: 'POST' })).status).toBe(200)
        })

        it('a request without credentials where they are needed', async () => {
          const ask = asSomebody(newcomer())
          const { admitted } = await exhaust(async () => {
            const answer = await ask('/closed/ok')
            if (answer.status !== 429) expect(answer.status).toBe(401)
            return answer
          })
          expect(admitted).toBe(4)
          // By address, and those of an operator come from the same one.
          expect((await ask('/closed/ok', { headers: bearer() })).status).toBe(429)
        })

        it.each([
          '/API/Auth/LOGIN/',
          '/api/auth/login/',
          '/api/auth/login;x=1',
          '/api;a=b/auth/login',
          '/api/auth/login.json',
          '/api/auth/%6Cogin',
          '/api/auth/login%20',
          '/api/auth/login%3Fx',
          '/api/auth/login%23',
          '/api/auth/%EF%BD%8Cogin',
          '/api/auth/login?x=%2F',
        ])('%s as the path it could be read as', async (spelling) => {
          const ask = asSomebody(newcomer())
          const login = (path: string) => ask(path, { method: 'POST', body: '{"password":"wrong"}' })
          for (let i = 0; i < 5; i++) expect([401, 404]).toContain((await login(spelling)).status)
          expect((await login(spelling)).status).toBe(429)
          expect((await login('/api/auth/login')).status).toBe(429)
        })

        it('the whole of a network of IPv6, and no address twice', async () => {
          const from = async (address: string) =>
            (await server().ask('/open/path/itself/x', { headers: { 'x-forwarded-for': address } })).status
          for (const address of ['2001:db8::1', '2001:db8::ffff:ffff:ffff:ffff', '[2001:DB8:0::2]:443']) {
            expect(await from(address)).toBe(200)
          }
          expect(await from('2001:db8::3')).toBe(429)
          expect(await from('2001:db8:0:1::1')).toBe(200)

          const ipv4 = newcomer()['x-forwarded-for']
          for (const address of [ipv4, `::ffff:${ipv4}`, `${ipv4}:80`]) expect(await from(address)).toBe(200)
          expect(await from(ipv4)).toBe(429)
        })

        it('a customer by name, however the name looks, and where there is none the address', async () => {
          const who = newcomer()
          const ask = (customer?: string) =>
            server().ask('/open/path/customers/x', {
              headers: { ...who, ...(customer && { 'x-customer': customer }) },
            })
          const names = [
            `a ${who['x-forwarded-for']}`,
            who['x-forwarded-for'],
            `ip\\n${who['x-forwarded-for']}`,
          ]
          for (const name of [undefined, ...names]) {
            expect((await exhaust(() => ask(name))).admitted, name ?? 'nobody').toBe(2)
          }
        })

        it('what a request costs, and none that costs more than is left', async () => {
          const ask = asSomebody(newcomer())
          const left = async (size: string) => limitsOf(await ask(`/open/path/costly/${size}`)).costly?.r
          expect(await left('big')).toBe(5)
          expect(await left('small')).toBe(3)
          const refused = await ask('/open/path/costly/big')
          expect(refused.status).toBe(429)
          // Two more tokens, one every six seconds.
          expect(Math.abs(waitOf(refused) - 12)).toBeLessThanOrEqual(2)
          expect((await ask('/open/path/costly/small')).status).toBe(200)
        })

        it('not what a policy skips', async () => {
          const ask = asSomebody(newcomer())
          const headers = { 'x-skip': 'yes' }
          for (let i = 0; i < 3; i++) {
            expectTold(await ask('/open/path/skipping/x', { headers }), ['api'])
          }
          expect((await exhaust(() => ask('/open/path/skipping/x'))).admitted).toBe(1)
          expect((await ask('/open/path/skipping/x', { headers })).status).toBe(200)
        })
      })

      describe('a charge comes back', () => {
        it('for an answer that a policy says so of', async () => {
          const ask = asSomebody(newcomer())
          for (let i = 0; i < 10; i++) expect((await ask('/open/status/200')).status).toBe(200)
          expect((await exhaust(() => ask('/open/status/404'))).admitted).toBe(3)
          expect((await ask('/open/status/200')).status).toBe(429)
        })

        it('for a password that is right', async () => {
          const ask = asSomebody(newcomer())
          const login = (password: string) =>
            ask('/api/auth/login', { method: 'POST', body: JSON.stringify({ password }) })
          for (let i = 0; i < 10; i++) expect((await login('right')).status).toBe(200)
          const { admitted, answer } = await exhaust(() => login('wrong'))
          expect(admitted).toBe(5)
          expect(waitOf(answer)).toBeGreaterThan(800)
          // It is not even looked at any more.
          expect((await login('right')).status).toBe(429)
        })

        it('and not one more for many guesses at once', async () => {
          const ask = asSomebody(newcomer())
          const guess = { method: 'POST', body: '{"password":"guess"}' }
          const answers = await Promise.all(Array.from({ length: 30 }, () => ask('/api/auth/login', guess)))
          expect(answers.filter(({ status }) => status === 401)).toHaveLength(5)
          expect(answers.filter(({ status }) => status === 429)).toHaveLength(25)
        })
      })

      describe('a strict limit', () => {
        it('admits as many as it says of those that come at once', async () => {
          const ask = asSomebody(newcomer())
          const answers = await Promise.all(Array.from({ length: 40 }, () => ask('/open/path/exact/x')))
          expect(answers.filter(({ status }) => status === 200)).toHaveLength(5)
        })

        it('and never more in any stretch of its length', async () => {
          const ask = asSomebody(newcomer())
          const admitted: { from: number; to: number }[] = []
          const end = performance.now() + 5000
          while (performance.now() < end) {
            const from = performance.now()
            const { status } = await ask('/open/path/exact/x')
            if (status === 200) admitted.push({ from, to: performance.now() })
            else await new Promise((resolve) => setTimeout(resolve, 20))
          }
          expect(admitted.length).toBeGreaterThanOrEqual(10)
          const stretches = admitted.slice(5).map(({ to }, index) => to - (admitted[index]?.from ?? 0))
          // Redis counts whole milliseconds.
          for (const stretch of stretches) expect(stretch).toBeGreaterThan(2000 - 2)
        })
      })
    })

    const FEW = { RATE_LIMIT_MAX_REQUESTS: '4', RATE_LIMIT_WINDOW_MS: '3600000' }
    describeServer('for few requests', runtime, options(FEW), (server) => {
      notCountedCases(server)
    })

    describeServer('that were never asked for', runtime, options(FEW), (server) => {
      it('are not charged for what is blocked, though the switches are read at the same time', async () => {
        const headers = newcomer()
        expect((await server().ask('/api/seed', { method: 'POST', headers })).status).toBe(403)
        expect(limitsOf(await server().ask('/open/path/one/x', { headers })).api?.r).toBe(3)
      })
    })

    limitsRequestsCases(runtime)
    limitsFailingCases(runtime)
  })
}

/** What must not be charged, and what may be asked by those who have used up what they had. */
const notCountedCases = (server: () => Server): void => {
  const LIMITED = '/open/path/one/x'
  const HEADERS = [
    'ratelimit',
    'ratelimit-policy',
    'x-ratelimit-limit',
    'x-ratelimit-remaining',
    'retry-after',
  ]
  const FREE: [what: string, status: number, path: string, init?: RequestInit][] = [
    ['liveness', 200, '/livez'],
    ['liveness by its other name', 200, '/health'],
    ['readiness', 200, '/readyz'],
    ['a preflight', 204, '/closed/write', preflight('POST')],
    ['a preflight of a limited path', 204, LIMITED, preflight('GET')],
    ['a blocked endpoint', 403, '/api/seed', { method: 'POST' }],
    ['an endpoint that the team blocks', 403, '/open/nuke'],
    ['a destructive route', 403, '/open/wipe-by-get'],
    ['a target that can be read in two ways', 400, '/open//x'],
    ['the operator', 200, '/api/admin/maintenance', { headers: bearer() }],
    ['who is no operator', 401, '/api/admin/maintenance'],
  ]

  it.each(FREE)('%s is not counted', async (_, status, path, init) => {
    const who = newcomer()
    const ask = (target: string, more: RequestInit = {}) =>
      server().ask(target, { ...more, headers: { ...who, ...more.headers } as Record<string, string> })
    for (let i = 0; i < 8; i++) {
      const answer = await ask(path, init)
      expect(answer.status).toBe(status)
      for (const name of HEADERS) expect(answer.header(name), name).toBeUndefined()
    }
    expect(limitsOf(await ask(LIMITED)).api).toMatchObject({ q: 4, r: 3, w: 3600 })
    for (let i = 0; i < 3; i++) expect((await ask(LIMITED)).status).toBe(200)
    expect((await ask(LIMITED)).status).toBe(429)
    for (let i = 0; i < 8; i++) expect((await ask(path, init)).status).toBe(status)
  })

  it('an operator is counted by name, and a false one by address', async () => {
    const who = newcomer()
    const ask = (headers: Record<string, string> = {}) =>
      server().ask(LIMITED, { headers: { ...who, ...headers } })
    for (let i = 0; i < 4; i++) expect((await ask(bearer('wrong'))).status).toBe(200)
    for (const headers of [bearer('other'), {}, { 'x-api-key': 'more' }]) {
      expect((await ask(headers)).status).toBe(429)
    }
    for (let i = 0; i < 4; i++) expect((await ask(bearer())).status).toBe(200)
    expect((await ask(bearer())).status).toBe(429)
    expect((await server().ask(LIMITED, { headers: { ...newcomer(), ...bearer() } })).status).toBe(429)
  })
}

const preflight = (method: string): RequestInit => ({
  method: 'OPTIONS',
  headers: { origin: ORIGIN, 'access-control-request-method': method },
})
