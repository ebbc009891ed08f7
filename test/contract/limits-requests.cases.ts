import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FakeRedis, startFakeRedis } from './fake-dependency.ts'
import { describeServer } from './harness.ts'
import { expectTold, newcomer } from './limit-headers.ts'
import { limitedEnvironment } from './limits.cases.ts'
import type { Runtime } from './runtimes.ts'

/** Each of these paths is refused by its last policy, which gives a token back every second. */
const PATHS: [path: string, policies: string[], admitted: number][] = [
  ['/open/path/one/x', ['api'], 4],
  ['/open/path/two/x', ['api', 'second'], 3],
  ['/open/path/three/x', ['api', 'second', 'third'], 2],
]
const TOKEN_MS = 1000
/** An instance reads the switches no more often, whoever asks it. */
const SWITCHES_MS = 5000

const charges = (commands: readonly string[]) => commands.some((name) => name.startsWith('EVAL'))

/** What a request costs at Redis: the figures of section 7 of the contract. */
export const limitsRequestsCases = (runtime: Runtime): void => {
  describe('requests to Redis', () => {
    let redis: FakeRedis
    beforeAll(async () => {
      redis = await startFakeRedis()
    })
    afterAll(() => redis.close())
    const options = () => ({
      app: 'limited' as const,
      env: limitedEnvironment(redis, { RATE_LIMIT_MAX_REQUESTS: '4', RATE_LIMIT_WINDOW_MS: '4000' }),
    })

    for (const [path, policies, admitted] of PATHS) {
      describeServer(`by ${policies.length} policies`, runtime, options, (server) => {
        it('one for who is admitted, one for who is refused first, none until the time that it said', async () => {
          const who = newcomer()
          const began = performance.now()
          const seen = redis.asked().length
          /** The answer, and the requests that were made for it. */
          const ask = async () => {
            const before = redis.asked().length
            const sent = performance.now()
            const answer = await server().ask(path, { headers: who })
            return { answer, sent, requests: redis.asked().slice(before) }
          }

          const times: number[] = []
          for (let i = 0; i < admitted; i++) {
            const { answer, sent, requests } = await ask()
            times.push(sent)
            expect(answer.status).toBe(200)
            expectTold(answer, policies)
            expect(requests).toHaveLength(1)
            // A new process too: it reads the switches and sends the whole script in the one request.
            expect(requests[0]).toEqual(i === 0 ? ['EVAL', 'GET'] : ['EVALSHA'])
          }
          const first = await ask()
          expect(first.answer.status).toBe(429)
          expect(first.requests).toEqual([['EVALSHA']])

          let denied = 0
          let last = await ask()
          for (; last.answer.status === 429; last = await ask()) {
            denied++
            expect(last.requests.filter(charges)).toEqual([])
            await new Promise((resolve) => setTimeout(resolve, 10))
          }
          expect(denied).toBeGreaterThan(10)
          expect(last.answer.status).toBe(200)
          expect(last.requests.filter(charges)).toHaveLength(1)
          // One token is back a second after the first was taken.
          expect(performance.now() - (times[0] as number)).toBeGreaterThan(TOKEN_MS - 5)
          expect(last.sent - (first.sent as number)).toBeLessThan(TOKEN_MS + 250)

          const reads = redis
            .asked()
            .slice(seen)
            .filter((names) => names.includes('GET'))
          expect(reads.length).toBeLessThanOrEqual(1 + (performance.now() - began) / SWITCHES_MS)
        })

        it('two where Redis has forgotten the script, and then one again', async () => {
          const ask = async () => {
            const before = redis.asked().length
            const answer = await server().ask(path, { headers: newcomer() })
            expect(answer.status).toBe(200)
            expectTold(answer, policies)
            return redis
              .asked()
              .slice(before)
              .filter(charges)
              .flat()
              .filter((name) => name !== 'GET')
          }
          expect(await ask()).toEqual(['EVALSHA'])
          await redis.run('SCRIPT', 'FLUSH')
          expect(await ask()).toEqual(['EVALSHA', 'EVAL'])
          expect(await ask()).toEqual(['EVALSHA'])
        })
      })
    }

    describeServer('by a policy that gives back', runtime, options, (server) => {
      it('one more, after the answer, for what is given back', async () => {
        const who = newcomer()
        const before = redis.asked().length
        expect((await server().ask('/open/status/200', { headers: who })).status).toBe(200)
        await expect.poll(() => redis.asked().slice(before).filter(charges)).toHaveLength(2)
        expect((await server().ask('/open/status/404', { headers: who })).status).toBe(404)
        expect(redis.asked().slice(before).filter(charges)).toHaveLength(3)
      })
    })

    describeServer('by a process that many come to at once', runtime, options, (server) => {
      it('one for each, the first of them included', async () => {
        const before = redis.asked().length
        const asks = Array.from({ length: 50 }, () =>
          server().ask('/open/path/one/x', { headers: newcomer() }),
        )
        for (const { status } of await Promise.all(asks)) expect(status).toBe(200)
        const requests = redis.asked().slice(before)
        expect(requests).toHaveLength(50)
        expect(requests.filter((names) => names.includes('GET'))).toHaveLength(1)
      })
    })

    const closed = () => ({
      app: 'limited' as const,
      env: limitedEnvironment(redis, { MAINTENANCE_MODE: 'true' }),
    })
    describeServer('by a house that is closed', runtime, closed, (server) => {
      it('one for the switches, and none for limits that nobody is to be charged for', async () => {
        const before = redis.asked().length
        for (let i = 0; i < 3; i++) expect((await server().ask('/open/ok')).status).toBe(503)
        expect(redis.asked().slice(before)).toEqual([['GET']])
      })
    })

    describeServer('by a house that is closed by a switch', runtime, options, (server) => {
      it('none for limits either, once that is known', async () => {
        const from = new Date(Date.now() - 1000).toISOString()
        const window = { id: 'w', from, until: null, message: null, allow: [], by: 'command' }
        await redis.run(
          'SET',
          'parapet:switches',
          JSON.stringify({ epoch: 'e', windows: [window], blocked: [] }),
        )
        const before = redis.asked().length
        const end = performance.now() + SWITCHES_MS + 500
        while (performance.now() < end) {
          expect((await server().ask('/open/ok')).status).toBe(503)
          await new Promise((resolve) => setTimeout(resolve, 100))
        }
        // Nobody knows it at first, and then it is looked at anew.
        expect(redis.asked().slice(before)).toEqual([['EVAL', 'GET'], ['GET']])
        await redis.run('DEL', 'parapet:switches')
      })
    })
  })
}
