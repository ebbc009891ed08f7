import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { METHODS } from './blocked.cases.ts'
import { expectGuarded, expectProblem } from './expectations.ts'
import { type FakeDependency, startFakeDatabase, startFakeRedis } from './fake-dependency.ts'
import { bearer, describeServer, eventually, OPERATOR_TOKEN, type Server } from './harness.ts'
import type { Runtime, Variables } from './runtimes.ts'

const CLOSED = [
  '/',
  '/open/ok',
  '/open/throw/error',
  '/closed/ok',
  '/none',
  '/api/customers',
  '/api/seed',
  '/api/customers/1?x=y',
  '/test/hits',
  '/health/none',
  '/api/admin/maintenance',
  '/favicon.ico',
]

const NAMES =
  /DATABASE_URL|REDIS|JWT_|SECRET|ENCRYPTION|INTERNAL_API_KEY|CORS|ORIGIN|BODY_LIMIT|ISSUER|TRUST_PROXY/

/** What holds of a degraded server, whatever is wrong with its environment. */
const degradedCases = (server: () => Server): void => {
  it.each(['/health', '/livez'])('%s: 200', async (path) => {
    const answer = await server().ask(path)
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body).status).toBe('ok')
    expectGuarded(answer)
    expect((await server().ask(path, { method: 'HEAD' })).status).toBe(200)
    expect((await server().ask(path, { method: 'POST' })).status).toBe(405)
  })

  it.each(['/health/ready', '/readyz'])('%s: 503, and that it is the configuration', async (path) => {
    const answer = await server().ask(path)
    expect(answer.status).toBe(503)
    expectGuarded(answer)
    expect(answer.header('cache-control')).toBe('no-store')
    expect(answer.header('retry-after')).toMatch(/^[1-9]\d*$/)
    const body = JSON.parse(answer.body)
    expect(body).toMatchObject({ ready: false, status: 'unavailable' })
    expect(body.checks).toContainEqual({ name: 'config', status: 'unavailable', critical: true })
    expect(answer.body).not.toMatch(NAMES)
    expect((await server().ask(path, { method: 'HEAD' })).status).toBe(503)
  })

  it('/health/db: 503', async () => {
    const answer = await server().ask('/health/db')
    expect(answer.status).toBe(503)
    expect(JSON.parse(answer.body)).toMatchObject({ status: 'unavailable', database: 'disconnected' })
    expect(answer.header('cache-control')).toBe('no-store')
    expect(answer.body).not.toMatch(NAMES)
  })

  it.each(CLOSED)('%s: 503 DEGRADED, for every method, with a token or without', async (path) => {
    for (const method of METHODS) {
      for (const headers of [{}, bearer(), bearer('wrong')]) {
        const answer = await server().ask(path, { method, headers, ...(method === 'POST' && { body: '{' }) })
        expect(answer.status).toBe(503)
        expectGuarded(answer)
        expect(answer.header('retry-after')).toMatch(/^[1-9]\d*$/)
        expect(answer.header('cache-control')).toContain('no-store')
        if (method === 'HEAD') continue
        expectProblem(answer, 503, 'DEGRADED')
        expect(answer.body).not.toMatch(NAMES)
      }
    }
  })

  it('a preflight is not answered', async () => {
    const headers = { origin: 'https://app.example', 'access-control-request-method': 'PUT' }
    expect((await server().ask('/open/ok', { method: 'OPTIONS', headers })).status).toBe(503)
  })

  it('what can be read in two ways is refused all the same', async () => {
    expectProblem(await server().raw({ target: '/open//ok' }), 400, 'BAD_REQUEST_TARGET')
  })

  it('a browser gets a page', async () => {
    const answer = await server().ask('/open/ok', { headers: { accept: 'text/html' } })
    expect(answer.status).toBe(503)
    expect(answer.header('content-type')).toMatch(/^text\/html/)
    expectGuarded(answer)
    expect(answer.body).not.toMatch(NAMES)
  })
}

const DEGRADING: [what: string, env: Variables, names: string[]][] = [
  ['no variables at all', {}, ['DATABASE_URL']],
  ['no variables but NODE_ENV', { NODE_ENV: 'production' }, ['DATABASE_URL']],
  ['blank ones', { NODE_ENV: 'production', DATABASE_URL: '  ', INTERNAL_API_KEY: '' }, ['DATABASE_URL']],
  ['an unknown environment', { NODE_ENV: 'prod' }, ['DATABASE_URL']],
  ['an environment in upper case', { NODE_ENV: 'DEVELOPMENT', PORT: '0' }, ['DATABASE_URL']],
]

export const degradedEnvironments = (runtime: Runtime): void => {
  describe('degraded', () => {
    describe.each(DEGRADING)('by %s', (what, env, names) => {
      describeServer(what, runtime, { app: 'reference', env }, (server) => {
        degradedCases(server)
        it('says in the log which variables are at fault', async () => {
          await server().ask('/livez')
          const output = await eventually(server().process.output, (text) => text.includes('DATABASE_URL'))
          for (const name of names) expect(output).toContain(name)
          const known = env.NODE_ENV === 'production'
          expect(output.split('\n').filter((line) => line.includes('NODE_ENV'))).toHaveLength(known ? 0 : 1)
        })
      })
    })

    describe('by wrong variables', () => {
      let database: FakeDependency
      let redis: FakeDependency
      beforeAll(async () => {
        ;[database, redis] = await Promise.all([startFakeDatabase(), startFakeRedis()])
      })
      afterAll(async () => void (await Promise.all([database.close(), redis.close()])))
      const env = () => ({
        NODE_ENV: 'production',
        INTERNAL_API_KEY: OPERATOR_TOKEN,
        DATABASE_URL: 'postgres://app:secret@db.example/app',
        NEON_FETCH_ENDPOINT: `${database.url}/sql`,
        UPSTASH_REDIS_REST_URL: redis.url,
        UPSTASH_REDIS_REST_TOKEN: 'a-token-of-the-fake',
        ENCRYPTION_KEY: 'not-a-key',
        BODY_LIMIT_BYTES: 'lots',
        TRUST_PROXY: 'everybody',
      })
      const AT_FAULT = ['ENCRYPTION_KEY', 'BODY_LIMIT_BYTES', 'TRUST_PROXY']

      describeServer(
        'by wrong variables',
        runtime,
        () => ({ app: 'reference', env: env() }),
        (server) => {
          degradedCases(server)

          it.each(['/health/ready', '/readyz'])(
            '%s names them to an operator, and to nobody else',
            async (path) => {
              const operator = await server().ask(path, { headers: bearer() })
              expect(operator.status).toBe(503)
              for (const name of AT_FAULT) expect(operator.body).toContain(name)
              expect(operator.body).not.toMatch(/not-a-key|lots|everybody/)
              const key = await server().ask(path, { headers: { 'x-api-key': OPERATOR_TOKEN } })
              for (const name of AT_FAULT) expect(key.body).toContain(name)
              for (const headers of [{}, bearer('wrong'), bearer(OPERATOR_TOKEN.slice(1)), bearer('')]) {
                expect((await server().ask(path, { headers: headers as HeadersInit })).body).not.toMatch(
                  NAMES,
                )
              }
              expect((await server().ask(`${path}?token=${OPERATOR_TOKEN}`)).body).not.toMatch(NAMES)
            },
          )

          it('nothing outside was asked, ever', () => {
            expect(database.requests()).toBe(0)
            expect(redis.requests()).toBe(0)
          })
        },
      )
    })

    describe.each([['ccl-internal-2025'], ['change-me-change-me-change-me-change-me']])(
      'by an operator token that everybody knows: %s',
      (token) => {
        const env = { NODE_ENV: 'production', INTERNAL_API_KEY: token }
        describeServer('and so', runtime, { app: 'team', env }, (server) => {
          it('opens nothing', async () => {
            const answer = await server().ask('/readyz', { headers: bearer(token) })
            expect(answer.status).toBe(503)
            expect(answer.body).not.toMatch(NAMES)
            expectProblem(await server().ask('/closed/ok', { headers: bearer(token) }), 503, 'DEGRADED')
            const output = await eventually(server().process.output, (text) =>
              text.includes('INTERNAL_API_KEY'),
            )
            expect(output).not.toContain(token)
          })
        })
      },
    )
  })
}
