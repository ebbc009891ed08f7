import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { expectProblem } from './expectations.ts'
import { type FakeRedis, type Mode, startFakeRedis } from './fake-dependency.ts'
import { type Answer, describeServer, eventually, lines } from './harness.ts'
import { expectTold, expectUntold, limitsOf, newcomer, waitOf } from './limit-headers.ts'
import { limitedEnvironment } from './limits.cases.ts'
import type { Runtime } from './runtimes.ts'

const MODES: [mode: Mode, code: string][] = [
  ['refuse', 'refused'],
  ['reset', 'refused'],
  ['hang', 'timeout'],
  ['slow', 'timeout'],
  ['half', 'timeout'],
  ['half-cut', 'refused'],
  ['401', 'auth'],
  ['500', 'bad_response'],
  ['html', 'bad_response'],
  ['wrong-json', 'bad_response'],
  ['no-json', 'bad_response'],
  ['empty', 'bad_response'],
  ['error-each', 'bad_response'],
]

/** Milliseconds by which an answer may be later than with a Redis that is well: the deadline, and what the machine takes. */
const LATER_MS = 250
/** What is later by this much has waited for Redis. */
const WAITED_MS = 100
/** For so many milliseconds a process computes and hears nothing: a good deal longer than the deadline. */
const COMPUTING_MS = 500
/** Requests that may wait before nobody does any more. */
const WAITING = 3
/** Until the limits are those of the fleet again. */
const BACK_MS = 3000

const REDUCED_CAPACITY = 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity'

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] as number

export const limitsFailingCases = (runtime: Runtime): void => {
  describe('without their Redis', () => {
    let redis: FakeRedis
    beforeAll(async () => {
      redis = await startFakeRedis()
    })
    afterAll(() => redis.close())
    const options = () => ({ app: 'limited' as const, env: limitedEnvironment(redis) })

    describeServer('that fails', runtime, options, (server) => {
      const ask = (path: string, who: Record<string, string> = newcomer(), init: RequestInit = {}) =>
        server().ask(`/open/path/${path}/x`, { ...init, headers: who })
      const timed = async (work: () => Promise<Answer>) => {
        const began = performance.now()
        const answer = await work()
        return { answer, took: performance.now() - began }
      }
      const oneByOne = async (count: number): Promise<number[]> => {
        const times: number[] = []
        for (let i = 0; i < count; i++) {
          times.push((await timed(answered)).took)
        }
        return times
      }
      const atOnce = async (count: number): Promise<number[]> => {
        const all = await Promise.all(Array.from({ length: count }, () => timed(answered)))
        return all.map(({ took }) => took)
      }
      /** How much it has written, once all that was said until now is there. */
      const written = async (): Promise<number> => {
        const id = crypto.randomUUID()
        await ask('itself', { ...newcomer(), 'x-correlation-id': id })
        await eventually(server().process.output, (text) => text.includes(id))
        return server().process.output().length
      }
      /** What has been said since of Redis having gone or come back. */
      const transitions = async (since: number) => {
        const until = await written()
        return lines(server().process.output().slice(since, until)).filter(({ msg }) =>
          /^Redis is (?:away|back)/.test(String(msg)),
        )
      }
      const answered = async (): Promise<Answer> => {
        const answer = await ask('itself')
        expect(answer.status, answer.body).toBe(200)
        return answer
      }
      const allWell = () =>
        eventually(answered, (answer) => answer.header('ratelimit') !== undefined, BACK_MS)
      const redisCheck = async () => {
        const { status, body } = await server().ask('/readyz')
        const { status: readiness, checks } = JSON.parse(body)
        return {
          status,
          readiness,
          redis: checks.find(({ name }: { name: string }) => name === 'redis').status,
        }
      }

      beforeEach(allWell)
      afterEach(() => redis.become('ok'))

      it.each(MODES)('in this way: %s', async (mode, code) => {
        const heard = await written()
        const well = median(await oneByOne(15))
        const regular = newcomer()
        for (let i = 1; i <= 3; i++) expect(limitsOf(await ask('hourly', regular)).hourly?.r).toBe(10 - i)

        await redis.become(mode)
        const later = (await oneByOne(15)).map((took) => took - well)
        expect(Math.max(...later)).toBeLessThan(LATER_MS)
        expect(later.filter((ms) => ms > WAITED_MS).length).toBeLessThanOrEqual(WAITING)

        const own = newcomer()
        for (const status of [200, 200, 200, 429, 429]) {
          const answer = await ask('itself', own)
          expectUntold(answer, ['api', 'itself'])
          expect(answer.status).toBe(status)
          if (status === 429) expect(waitOf(answer)).toBeGreaterThan(1)
        }
        expect((await ask('itself')).status).toBe(200)
        const ajar = newcomer()
        for (let i = 0; i < 6; i++) {
          const answer = await ask('ajar', ajar)
          expectUntold(answer, ['ajar', 'api'])
          expect(answer.status).toBe(200)
        }
        const shut = newcomer()
        const closed = await ask('shut', shut)
        const body = expectProblem(closed, 503, 'LIMITER_UNAVAILABLE', { members: ['violated-policies'] })
        expect(body.type).toBe(REDUCED_CAPACITY)
        expect(body['violated-policies']).toEqual(['shut'])
        expectUntold(closed, ['api', 'shut'])
        expect(waitOf(closed)).toBeLessThanOrEqual(5)
        const login = { method: 'POST', body: '{"password":"right"}', headers: newcomer() }
        expect((await server().ask('/api/auth/login', login)).status).toBe(503)
        for (let i = 4; i <= 5; i++) expectUntold(await ask('hourly', regular), ['api', 'hourly'])

        expect(await redisCheck()).toEqual({ status: 200, readiness: 'degraded', redis: 'degraded' })
        expect(await transitions(heard)).toMatchObject([{ level: 'error', category: 'system', code }])

        await redis.become('ok')
        await allWell()
        expectTold(await ask('shut', shut), ['api', 'shut'])
        // Redis has not seen the two requests that came while it was away.
        expect(limitsOf(await ask('hourly', regular)).hourly?.r).toBe(6)
        expect(await redisCheck()).toEqual({ status: 200, readiness: 'ok', redis: 'ok' })
        expect(await transitions(heard)).toMatchObject([{ code }, { level: 'info', category: 'system' }])
      })

      it('while many ask at once: each waits once at most', async () => {
        await atOnce(200)
        const well = await atOnce(200)
        const later = (times: readonly number[]) => median(times) - median(well)
        // So many at once are a lot for a Redis in this process.
        await allWell()
        const heard = await written()
        await redis.become('hang')
        const times = await atOnce(200)
        // Two deadlines one after the other would be later.
        expect(later(times)).toBeLessThan(300)
        // Nobody asks any more, so that nobody waits.
        const asked = redis.requests()
        await atOnce(200)
        expect(redis.requests() - asked).toBeLessThanOrEqual(1)
        await redis.become('ok')
        await allWell()
        expect(await transitions(heard)).toHaveLength(2)
      })

      it('who was refused before stays so until the time that it said', async () => {
        const who = newcomer()
        for (const status of [200, 200, 200, 429]) expect((await ask('itself', who)).status).toBe(status)
        await redis.become('refuse')
        await oneByOne(5)
        const refused = await ask('itself', who)
        expect(refused.status).toBe(429)
        expect(waitOf(refused)).toBeGreaterThan(1)
      })

      it('is not blamed for what takes the process itself long', async () => {
        const compute = (steps: number) => timed(() => server().ask(`/test/compute/${Math.round(steps)}`))
        await compute(2e7)
        const stepsPerMs = 2e7 / (await compute(2e7)).took
        const heard = await written()
        for (let round = 0; round < 5; round++) {
          // Who asks first waits for Redis while the process computes.
          const asked = Array.from({ length: 5 }, answered)
          const { took } = await compute(COMPUTING_MS * stepsPerMs)
          expect(took).toBeGreaterThan(COMPUTING_MS / 2)
          for (const answer of await Promise.all(asked)) expectTold(answer, ['api', 'itself'])
        }
        expect(await transitions(heard)).toEqual([])
      })

      it('without an end: it is tried every two seconds, and by one request', async () => {
        await redis.become('500')
        await oneByOne(5)
        const before = redis.requests()
        const end = performance.now() + 5000
        while (performance.now() < end) await answered()
        const tries = redis.requests() - before
        expect(tries).toBeGreaterThanOrEqual(2)
        expect(tries).toBeLessThanOrEqual(3)
      })
    })

    describeServer('that is silent from the start', runtime, options, (server) => {
      it('nobody waits for those who wait already', async () => {
        const alive = median(
          await Promise.all(
            Array.from({ length: 15 }, async () => {
              const began = performance.now()
              await server().ask('/livez')
              return performance.now() - began
            }),
          ),
        )
        await redis.become('hang')
        const began = performance.now()
        // Each comes shortly before the one before it gives up.
        const asks = Array.from({ length: 6 }, async (_, index) => {
          await new Promise((resolve) => setTimeout(resolve, index * 140 - (performance.now() - began)))
          const sent = performance.now()
          expect((await server().ask('/open/path/itself/x', { headers: newcomer() })).status).toBe(200)
          return performance.now() - sent - alive
        })
        const [, ...later] = await Promise.all(asks)
        // The first of all pays for a process that is new, too.
        expect(Math.max(...later)).toBeLessThan(LATER_MS)
        await redis.become('ok')
      })
    })
  })
}
