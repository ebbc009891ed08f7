import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CANARY } from './canary.ts'
import { expectGuarded } from './expectations.ts'
import { type FakeDependency, startFakeDatabase, startFakeRedis } from './fake-dependency.ts'
import { bearer, eventually, OPERATOR_TOKEN, type Server, startServer } from './harness.ts'
import type { Runtime } from './runtimes.ts'

/** What workerd says where a request waits for a promise of another. */
const POISONED = /different request|cross-request|continuations|hung/i

const percentile = (times: readonly number[], share: number): number =>
  times.toSorted((a, b) => a - b)[Math.floor(times.length * share)] as number

/** Rules of probes that show only with dependencies that count who asks, and hang. */
export const healthCases = (runtime: Runtime): void => {
  describe('probes of dependencies', () => {
    let database: FakeDependency
    let redis: FakeDependency
    beforeAll(async () => {
      ;[database, redis] = await Promise.all([startFakeDatabase(), startFakeRedis()])
    })
    afterAll(async () => void (await Promise.all([database.close(), redis.close()])))

    /** A server that has not been asked anything yet. */
    const cold = async (work: (server: Server) => Promise<void>, more: Record<string, string> = {}) => {
      const server = await startServer(runtime, {
        app: 'reference',
        env: {
          NODE_ENV: 'production',
          LOG_FORMAT: 'json',
          INTERNAL_API_KEY: OPERATOR_TOKEN,
          DATABASE_URL: `postgres://app:${CANARY}@db.${CANARY}.example/app`,
          NEON_FETCH_ENDPOINT: `${database.url}/sql`,
          UPSTASH_REDIS_REST_URL: redis.url,
          UPSTASH_REDIS_REST_TOKEN: CANARY,
          ...more,
        },
      })
      try {
        await work(server)
      } finally {
        await server.stop()
        await Promise.all([database.become('ok'), redis.become('ok')])
      }
      expect(server.process.output()).not.toMatch(POISONED)
      expect(server.process.output().toLowerCase()).not.toContain(CANARY.toLowerCase())
    }
    const readiness = async (server: Server) => {
      const answer = await server.ask('/readyz')
      return { http: answer.status, ...JSON.parse(answer.body) }
    }
    const ready = (server: Server) =>
      eventually(
        () => readiness(server),
        ({ http }) => http === 200,
        6000,
      )
    const asked = () => ({ database: database.requests(), redis: redis.requests() })

    it('two hundred at once who are the first of all: one question to each dependency', async () => {
      await cold(async (server) => {
        const before = asked()
        const answers = await Promise.all(Array.from({ length: 200 }, () => server.ask('/readyz')))
        for (const answer of answers) expect([200, 503]).toContain(answer.status)
        await ready(server)
        const questions = new Set(['database', 'migrations'])
        const { checks } = await readiness(server)
        const toDatabase = checks.filter(({ name }: { name: string }) => questions.has(name)).length
        expect(database.requests() - before.database).toBe(toDatabase)
        expect(redis.requests() - before.redis).toBe(1)
      })
    })

    it('everything hangs: what was known last, at once, and said to be old', async () => {
      await cold(async (server) => {
        await ready(server)
        await Promise.all([database.become('hang'), redis.become('hang')])
        const times: number[] = []
        for (let i = 0; i < 500; i++) {
          const began = performance.now()
          const answer = await server.ask(i % 2 ? '/readyz' : '/health/db')
          times.push(performance.now() - began)
          expect(answer.status).toBe(200)
        }
        expect(percentile(times, 0.99)).toBeLessThan(100)
      })
    })

    it('everything hangs from the first moment: not ready, within a moment', async () => {
      await Promise.all([database.become('hang'), redis.become('hang')])
      await cold(async (server) => {
        await server.ask('/livez')
        const times: number[] = []
        for (let i = 0; i < 20; i++) {
          const began = performance.now()
          const answer = await server.ask('/readyz')
          times.push(performance.now() - began)
          expect(answer.status).toBe(503)
          expectGuarded(answer)
          expect(JSON.parse(answer.body).ready).toBe(false)
        }
        expect(percentile(times, 0.5)).toBeLessThan(150)
        const first = await server.ask('/startupz')
        expect(first.status).toBe(503)
        expect(JSON.parse(first.body)).toMatchObject({ started: false, status: 'unavailable' })
      })
    })

    it('whoever asked first has gone away: the next one gets an answer, and it is new', async () => {
      await database.become('hang')
      await cold(async (server) => {
        const gone = new AbortController()
        const leader = server.ask('/readyz', { signal: gone.signal }).catch(() => 'gone')
        await eventually(database.requests, (count) => count > 0)
        gone.abort()
        await leader
        await database.become('ok')
        const began = performance.now()
        expect((await server.ask('/readyz')).status).toBeGreaterThanOrEqual(200)
        expect(performance.now() - began).toBeLessThan(1000)
        await ready(server)
      })
    })

    it('has started once it was ready, whatever comes after', async () => {
      await cold(async (server) => {
        await ready(server)
        await database.become('refuse')
        await eventually(
          async () => {
            await server.ask('/api/customers', { headers: bearer() })
            return readiness(server)
          },
          ({ http }) => http === 503,
          15_000,
        )
        const started = await server.ask('/startupz')
        expect(started.status).toBe(200)
        expect(JSON.parse(started.body)).toMatchObject({ started: true, status: 'ok' })
        const transitions = await eventually(
          () =>
            server.process
              .output()
              .split('\n')
              .filter((line) => line.includes('check database is')),
          ({ length }) => length > 0,
        )
        expect(transitions.map((line) => JSON.parse(line))).toMatchObject([
          { level: 'error', category: 'system', check: 'database', from: 'ok', to: 'down' },
        ])
      })
    })

    it('no limit holds for them, and none is logged', async () => {
      await cold(
        async (server) => {
          for (let i = 0; i < 100; i++) {
            for (const path of ['/livez', '/readyz', '/health/db', '/startupz']) {
              const { status, header } = await server.ask(path)
              expect([200, 503]).toContain(status)
              expect(header('ratelimit-policy')).toBeUndefined()
            }
          }
          await ready(server)
          expect(server.process.output()).not.toMatch(/"msg":"(?:slow )?request"/)
        },
        { RATE_LIMIT_MAX_REQUESTS: '5' },
      )
    })

    it('operators see every check, its age and what changed; strangers nothing of it', async () => {
      await cold(async (server) => {
        await ready(server)
        for (const headers of [{}, bearer('wrong')]) {
          const refused = await server.ask('/api/admin/health', { headers })
          expect(refused.status).toBe(401)
          expect(refused.body).not.toMatch(/database|redis|latency/)
        }
        const answer = await server.ask('/api/admin/health', { headers: bearer() })
        expect(answer.status).toBe(200)
        const body = JSON.parse(answer.body)
        expect(body).toMatchObject({ phase: 'ready', history: expect.any(Array) })
        expect(body.checks).toContainEqual(
          expect.objectContaining({
            name: 'database',
            status: 'ok',
            criticality: 'critical',
            stale: false,
            latencyMs: expect.any(Number),
            seenAt: expect.any(String),
          }),
        )
        expect(answer.body).not.toContain(CANARY)
      })
    })
  })
}
