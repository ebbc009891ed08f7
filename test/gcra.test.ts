import { Ratelimit } from '@upstash/ratelimit'
import type { Redis } from '@upstash/redis'
import { afterAll, afterEach, beforeAll, describe, expect, it, test, vi } from 'vitest'
import type { RedisEngine } from '../bridge/redis/redis-engine.ts'
import { createTcpRedisEngine } from '../bridge/redis/tcp-redis-engine.ts'
import { createEmbeddedRedisEngine } from '../dev/embedded-redis-engine.ts'
import { type Duration, gcra } from '../src/gcra.ts'
import { openTarget, type RedisTarget } from './bridge/redis-target.ts'
import { skipped } from './bridge/skipped.ts'

type Settings = Partial<ConstructorParameters<typeof Ratelimit>[0]>

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Requests to Redis while `work` went on. */
const requestsOf = async (work: () => Promise<unknown>): Promise<number> => {
  const spy = vi.spyOn(globalThis, 'fetch').mockClear()
  await work()
  return spy.mock.calls.length
}
afterEach(() => void vi.restoreAllMocks())

const contract = (name: string, createEngine: () => RedisEngine) => {
  describe(`@upstash/ratelimit with gcra over ${name}`, () => {
    let target: RedisTarget
    let names = 0
    beforeAll(async () => {
      target = await openTarget(createEngine())
    })
    afterAll(() => target.close())

    /** A limiter of its own, as a new isolate has it. */
    const limiter = (
      algorithm: ReturnType<typeof gcra>,
      settings: Settings = {},
      redis: Redis = target.client(),
    ) => new Ratelimit({ redis, limiter: algorithm, prefix: target.key(`gcra-${names++}`), ...settings })
    const times = async (count: number, ask: () => Promise<{ success: boolean }>) => {
      let admitted = 0
      for (let at = 0; at < count; at++) if ((await ask()).success) admitted++
      return admitted
    }

    describe.each<[cache: string, settings: Settings]>([
      ['with its cache', {}],
      ['without a cache', { ephemeralCache: false }],
    ])('%s', (_, settings) => {
      it('admits exactly its limit, of 200 at once too', async () => {
        const limit = limiter(gcra(50, '60 s'), settings)
        const answers = await Promise.all(Array.from({ length: 200 }, () => limit.limit('one')))
        expect(answers.filter(({ success }) => success)).toHaveLength(50)
        expect((await limit.limit('another')).success).toBe(true)
      })

      it('says what is left, and from when on there is more', async () => {
        const limit = limiter(gcra(10, '10 s'), settings)
        const before = Date.now()
        const first = await limit.limit('one')
        expect(first).toMatchObject({ success: true, limit: 10, remaining: 9 })
        expect(first.reset - before).toBeGreaterThanOrEqual(1000)
        expect(first.reset - before).toBeLessThan(1500)
        await times(9, () => limit.limit('one'))
        const denied = await limit.limit('one')
        expect(denied).toMatchObject({ success: false, remaining: 0 })
        expect(denied.reset).toBeLessThanOrEqual(Date.now() + 1000)
        const left = await limit.getRemaining('one')
        expect(left).toMatchObject({ remaining: 0, limit: 10 })
        expect(left.reset - before).toBeGreaterThan(8000)
      })

      it('lets one in as soon as it said, and not before', async () => {
        const limit = limiter(gcra(10, '2 s', { burst: 2 }), settings)
        await times(2, () => limit.limit('one'))
        const { success, reset } = await limit.limit('one')
        expect(success).toBe(false)
        while (Date.now() < reset - 60) {
          if (Date.now() < reset - 100) expect((await limit.limit('one')).success).toBe(false)
          await pause(20)
        }
        await pause(Math.max(0, reset - Date.now()))
        expect((await limit.limit('one')).success).toBe(true)
      })

      it('blocks until it lets one in', async () => {
        const limit = limiter(gcra(4, '1 s', { burst: 1 }), settings)
        await limit.limit('one')
        const began = Date.now()
        expect((await limit.blockUntilReady('one', 3000)).success).toBe(true)
        expect(Date.now() - began).toBeLessThan(900)
      })

      it('a denied request charges nothing, and a smaller one may still fit', async () => {
        const limit = limiter(gcra(10, '60 s'), settings)
        expect(await limit.limit('one', { rate: 8 })).toMatchObject({ success: true, remaining: 2 })
        for (let at = 0; at < 3; at++) {
          expect(await limit.limit('one', { rate: 5 })).toMatchObject({ success: false, remaining: 2 })
        }
        expect(await limit.limit('one', { rate: 2 })).toMatchObject({ success: true, remaining: 0 })
        expect((await limit.limit('one')).success).toBe(false)
      })

      it('gives back what is refunded, at once', async () => {
        const limit = limiter(gcra(3, '60 s'), settings)
        expect(await times(5, () => limit.limit('one'))).toBe(3)
        expect(await limit.limit('one', { rate: -2 })).toMatchObject({ success: true, remaining: 2 })
        expect(await times(5, () => limit.limit('one'))).toBe(2)
        await limit.limit('one', { rate: -100 })
        expect((await limit.getRemaining('one')).remaining).toBe(3)
      })

      it('looks without taking', async () => {
        const limit = limiter(gcra(3, '60 s'), settings)
        expect(await limit.limit('one', { rate: 0 })).toMatchObject({ success: true, remaining: 3 })
        expect((await limit.getRemaining('one')).remaining).toBe(3)
      })

      it('starts anew, for this caller alone', async () => {
        const limit = limiter(gcra(2, '60 s'), settings)
        await Promise.all(['a', 'b', 'c*'].map((id) => times(3, () => limit.limit(id))))
        await limit.resetUsedTokens('*')
        await limit.resetUsedTokens('a')
        expect((await limit.limit('a')).success).toBe(true)
        expect((await limit.limit('b')).success).toBe(false)
        expect((await limit.limit('c*')).success).toBe(false)
      })
    })

    it.each<[limit: number, window: Duration]>([
      [7, 1000],
      [3000, '1 s'],
      [20_000, '1 s'],
      [1, '1w'],
    ])(
      '%s in %s: exactly the burst at once, whatever fraction a token is of a millisecond',
      async (limit, window) => {
        const own = limiter(gcra(limit, window, { burst: 20 }), { ephemeralCache: false })
        // At once is what Redis does in one step: some tokens come back while requests are on their way.
        const answer = await own.limit('one', { rate: 20 })
        expect(answer).toMatchObject({ success: true, remaining: 0, limit: 20 })
        if (limit < 100) expect((await own.limit('one')).success).toBe(false)
        expect((await own.limit('two', { rate: 21 })).success).toBe(false)
      },
    )

    it('holds a rate of thousands in a second over a while', async () => {
      const own = limiter(gcra(3000, '1 s', { burst: 30 }), { ephemeralCache: false })
      let taken = 0
      const began = performance.now()
      while (performance.now() - began < 1000) {
        const answers = await Promise.all(Array.from({ length: 40 }, () => own.limit('one', { rate: 5 })))
        taken += 5 * answers.filter(({ success }) => success).length
      }
      const seconds = (performance.now() - began) / 1000
      expect(taken).toBeLessThanOrEqual(30 + 3000 * seconds)
    })

    it('keeps nothing for longer than it takes to be empty', async () => {
      const prefix = target.key('ttl')
      const own = limiter(gcra(100, '60 s'), { prefix })
      await own.limit('one')
      const [, keys] = await target.redis.scan('0', { match: `${prefix}*`, count: 10_000 })
      expect(keys).toHaveLength(1)
      const ttl = await target.redis.pttl(keys[0] as string)
      expect(ttl).toBeGreaterThan(0)
      expect(ttl).toBeLessThanOrEqual(600)
    })

    it('a changed limit holds at once', async () => {
      const prefix = target.key('changed')
      await times(3, () => limiter(gcra(2, '1 h'), { prefix }).limit('one'))
      expect(await times(6, () => limiter(gcra(5, '60 s'), { prefix }).limit('one'))).toBe(5)
    })

    it('is not confused by the keys of another algorithm', async () => {
      const prefix = target.key('other')
      const bucket = new Ratelimit({
        redis: target.client(),
        prefix,
        limiter: Ratelimit.tokenBucket(3, '7 s', 3),
      })
      await times(3, () => bucket.limit('one'))
      expect(await times(4, () => limiter(gcra(3, '7 s'), { prefix }).limit('one'))).toBe(3)
    })

    it('costs one request, also the first of an isolate, and none once it is known that there is no room', async () => {
      const redis = target.client()
      const own = limiter(gcra(2, '60 s'), {}, redis)
      const ask = () => requestsOf(() => own.limit('one'))
      expect(await ask(), 'cold').toBe(1)
      expect(await ask(), 'warm').toBe(1)
      expect(await ask(), 'first denied').toBe(1)
      expect(await ask(), 'denied again').toBe(0)
      expect(await own.limit('one')).toMatchObject({ success: false, reason: 'cacheBlock', remaining: 0 })
      await redis.scriptFlush()
      expect(await requestsOf(() => own.limit('two')), 'after a script flush').toBe(2)
      expect(await requestsOf(() => own.limit('two')), 'and then').toBe(1)
    })

    it('asks again after five seconds at most, for another instance may have given back', async () => {
      const own = limiter(gcra(1, '1 h'))
      await times(2, () => own.limit('one'))
      vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 5001)
      expect(await requestsOf(() => own.limit('one'))).toBe(1)
    })

    it('is not held up by a clock that was set back', async () => {
      const own = limiter(gcra(1, '1 h'))
      await times(2, () => own.limit('one'))
      vi.spyOn(Date, 'now').mockReturnValue(Date.now() - 3_600_000)
      expect(await requestsOf(() => own.limit('one'))).toBe(1)
    })

    it('takes analytics beside it', async () => {
      const own = limiter(gcra(2, '60 s'), { analytics: true })
      const { pending, success } = await own.limit('one')
      await pending
      expect(success).toBe(true)
    })

    it('says what Redis says when something is wrong', async () => {
      const refused = limiter(gcra(2, '60 s'), {}, target.client({ token: 'wrong' }))
      await expect(refused.limit('one')).rejects.toThrow(/Unauthorized|WRONGPASS/i)
      const prefix = target.key('wrong-type')
      await target.redis.hset(`${prefix}:one:gcra:7/1000/7`, { a: 1 })
      await target.redis.pexpire(`${prefix}:one:gcra:7/1000/7`, 60_000)
      await expect(limiter(gcra(7, '1 s'), { prefix }).limit('one')).rejects.toThrow(/WRONGTYPE/)
    })

    it('refuses what it cannot do', async () => {
      const own = limiter(gcra(2, '60 s'), { dynamicLimits: true })
      await expect(own.limit('one')).rejects.toThrow(/dynamicLimits/)
      await expect(limiter(gcra(2, '60 s')).limit('one', { rate: Number.NaN })).rejects.toThrow(
        /rate must be a number/,
      )
    })
  })
}

contract('the embedded Redis', createEmbeddedRedisEngine)
const url = process.env.TEST_REDIS_URL
if (url) contract('a real Redis', () => createTcpRedisEngine({ url }))
else skipped('gcra over a real Redis', 'TEST_REDIS_URL is not set')

test.each<[limit: number, window: unknown, burst: number | undefined, says: RegExp]>([
  [0, '60 s', undefined, /limit must be a positive integer/],
  [-1, '60 s', undefined, /limit/],
  [1.5, '60 s', undefined, /limit/],
  [Number.NaN, '60 s', undefined, /limit/],
  ['10' as never, '60 s', undefined, /limit/],
  [10, '60 s', 0, /burst must be a positive integer/],
  [10, '60 s', 2.5, /burst/],
  [10, 'soon', undefined, /milliseconds, or a text such as 60 s/],
  [10, '60 y', undefined, /window/],
  [10, '', undefined, /window/],
  [10, '0 s', undefined, /window/],
  [10, '0.2 ms', undefined, /window/],
  [10, 0, undefined, /window/],
  [10, -5, undefined, /window/],
  [10, 1.5, undefined, /window/],
  [10, undefined, undefined, /window/],
  [1000, 1, undefined, /at most 100 requests in a millisecond/],
])('gcra(%s, %j, burst %s) is refused at start', (limit, window, burst, says) => {
  const make = () => gcra(limit, window as Duration, burst === undefined ? {} : { burst })
  expect(make).toThrow(TypeError)
  expect(make).toThrow(says)
})

test.each<[window: Duration]>([
  [60_000],
  ['60s'],
  ['60 s'],
  ['1 m'],
  ['60000 ms'],
  ['0.5 h'],
  ['1d'],
  ['2 w'],
])('a window may be %s', (window) => {
  expect(gcra(10, window)()).toHaveProperty('limit')
})
