import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { CANARY } from './canary.ts'
import { expectGuarded, expectProblem } from './expectations.ts'
import { type FakeDependency, type Mode, startFakeDatabase, startFakeRedis } from './fake-dependency.ts'
import { bearer, describeServer, eventually, OPERATOR_TOKEN, type Server } from './harness.ts'
import type { Runtime } from './runtimes.ts'

const MODES: [mode: Mode, code: RegExp][] = [
  ['refuse', /^refused$/],
  ['reset', /^refused$/],
  ['hang', /^timeout$/],
  ['401', /^(?:auth|bad_response)$/],
  ['500', /^bad_response$/],
  ['html', /^bad_response$/],
  ['wrong-json', /^bad_response$/],
  ['no-json', /^bad_response$/],
  ['empty', /^bad_response$/],
]
/** A look at what hangs takes two seconds, and three of them in a row are needed. */
const DOWN_MS = 15_000

/** The app behind this server keeps data. */
export const dependenciesCases = (runtime: Runtime): void => {
  describe('dependencies', () => {
    let database: FakeDependency
    let redis: FakeDependency
    beforeAll(async () => {
      ;[database, redis] = await Promise.all([startFakeDatabase(), startFakeRedis()])
    })
    afterAll(async () => void (await Promise.all([database.close(), redis.close()])))

    const env = () => ({
      NODE_ENV: 'production',
      INTERNAL_API_KEY: OPERATOR_TOKEN,
      DATABASE_URL: `postgres://app:${CANARY}@db.${CANARY}.example/app`,
      NEON_FETCH_ENDPOINT: `${database.url}/sql`,
      DB_QUERY_TIMEOUT_MS: '400',
      UPSTASH_REDIS_REST_URL: redis.url,
      UPSTASH_REDIS_REST_TOKEN: CANARY,
    })
    const options = () => ({ app: 'reference' as const, env: env() })

    describeServer('with a database and a Redis that fail', runtime, options, (server) => {
      const readiness = async (headers: HeadersInit = {}) => {
        const answer = await server().ask('/health/ready', { headers })
        expectGuarded(answer)
        expect(answer.body).not.toContain(CANARY)
        expect(answer.header('cache-control')).toBe('no-store')
        if (answer.status === 503) expect(answer.header('retry-after')).toMatch(/^[1-9]\d*$/)
        return { ...JSON.parse(answer.body), http: answer.status }
      }
      const checkNamed = (body: { checks: { name: string }[] }, name: string) =>
        body.checks.find((check) => check.name === name)
      const customers = () => server().ask('/api/customers', { headers: bearer() })
      /** Real requests are what shows first that something is wrong. */
      const readinessInUse = async () => {
        await customers()
        return readiness()
      }
      const allWell = () =>
        eventually(readinessInUse, ({ http, status }) => http === 200 && status === 'ok', 8000)

      it('its password is not in the log, though a path holds it', async () => {
        const headers = { 'x-correlation-id': 'a-secret-in-a-path', ...bearer() }
        const path = `/none/${CANARY}/${OPERATOR_TOKEN}`
        expect((await server().ask(`${path}?key=${CANARY}`, { headers })).status).toBe(404)
        await eventually(server().process.output, (text) => text.includes('a-secret-in-a-path'))
      })

      describe('one after the other', () => {
        afterEach(async () => {
          await Promise.all([database.become('ok'), redis.become('ok')])
          await allWell()
        })

        it('all is well while they are', async () => {
          const body = await allWell()
          expect(body.ready).toBe(true)
          expect(checkNamed(body, 'database')).toMatchObject({ status: 'ok', critical: true })
          expect(checkNamed(body, 'redis')).toMatchObject({ status: 'ok', critical: false })
          const answer = await customers()
          expect(answer.status).toBe(200)
          expect(JSON.parse(answer.body)).toEqual({ data: [], nextCursor: null })
        })

        it('the database alone, with how long it took', async () => {
          const answer = await server().ask('/health/db')
          expect(answer.status).toBe(200)
          const body = JSON.parse(answer.body)
          expect(body).toMatchObject({ status: 'ok', database: 'connected', timestamp: expect.any(String) })
          expect(body.latencyMs).toBeGreaterThanOrEqual(0)
        })

        it.each(MODES)('a database that does this: %s', async (mode, code) => {
          await allWell()
          await database.become(mode)
          await expectLive(server)

          const body = await eventually(readinessInUse, ({ http }) => http === 503, DOWN_MS)
          expect(body).toMatchObject({ ready: false, status: 'unavailable' })
          expect(checkNamed(body, 'database')).toEqual({
            name: 'database',
            status: 'unavailable',
            critical: true,
          })
          expect(checkNamed(body, 'redis')).toMatchObject({ status: 'ok' })
          const detailed = checkNamed(await readiness(bearer()), 'database') as unknown as { code: string }
          expect(detailed.code).toMatch(code)

          const asked = database.requests()
          const alone = await server().ask('/health/db')
          expect(alone.status).toBe(503)
          expect(JSON.parse(alone.body)).toMatchObject({ status: 'unavailable', database: 'disconnected' })
          expect(JSON.parse(alone.body).code).toMatch(code)
          expect(alone.body).not.toContain(CANARY)
          expect(database.requests() - asked, 'one question at most').toBeLessThanOrEqual(1)

          const answer = await customers()
          expectProblem(answer, 503, 'DATABASE_UNAVAILABLE', { path: '/api/customers' })
          expect(answer.header('retry-after')).toMatch(/^[1-9]\d*$/)
          expect(answer.body).not.toMatch(/canary|sql|select|db\.internal|127\.0\.0\.1/i)

          await database.become('ok')
          await allWell()
          expect((await customers()).status).toBe(200)
        })

        it.each(MODES)('a Redis that does this: %s', async (mode, code) => {
          await allWell()
          await redis.become(mode)
          await expectLive(server)

          const body = await eventually(readinessInUse, ({ status }) => status === 'degraded', DOWN_MS)
          expect(body).toMatchObject({ http: 200, ready: true })
          expect(checkNamed(body, 'redis')).toEqual({ name: 'redis', status: 'degraded', critical: false })
          const detailed = checkNamed(await readiness(bearer()), 'redis') as unknown as { code: string }
          expect(detailed.code).toMatch(code)
          expect((await customers()).status).toBe(200)
        })

        it('both at once', async () => {
          await Promise.all([database.become('hang'), redis.become('refuse')])
          await expectLive(server)
          const body = await eventually(readinessInUse, ({ http }) => http === 503, DOWN_MS)
          expect(body.status).toBe('unavailable')
          expect(checkNamed(body, 'database')).toMatchObject({ status: 'unavailable' })
        })

        it('tells a stranger no more for a wrong token', async () => {
          await database.become('500')
          await eventually(readinessInUse, ({ http }) => http === 503, DOWN_MS)
          const said = ({ body }: { body: string }) => body.replace(/"timestamp":"[^"]+"/, '')
          const none = said(await server().ask('/readyz'))
          expect(said(await server().ask('/readyz', { headers: bearer('wrong') }))).toBe(none)
          expect(none).not.toMatch(/latency|code|bad_response/)
        })
      })
    })
  })
}

/** Liveness knows nothing of it all. */
const expectLive = async (server: () => Server) => {
  const times: number[] = []
  for (let i = 0; i < 7; i++) {
    const began = performance.now()
    expect((await server().ask('/livez')).status).toBe(200)
    times.push(performance.now() - began)
  }
  expect(times.sort((a, b) => a - b)[3]).toBeLessThan(50)
}
