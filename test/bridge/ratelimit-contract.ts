import { type Ratelimit as Limiter, Ratelimit } from '@upstash/ratelimit'
import { describe, expect, it } from 'vitest'
import type { RedisTarget } from './redis-target.ts'

type Settings = Omit<ConstructorParameters<typeof Limiter>[0], 'redis' | 'ephemeralCache'>

/** `@upstash/ratelimit` as it is: its scripts are where a local Redis usually fails. */
export function ratelimitContract(target: () => RedisTarget): void {
  const limiter = (settings: Settings) =>
    new Ratelimit({
      redis: target().redis,
      ephemeralCache: false,
      prefix: target().key('limit'),
      ...settings,
    })

  describe('@upstash/ratelimit', () => {
    it.each([
      ['fixedWindow', Ratelimit.fixedWindow(5, '1 d')],
      ['slidingWindow', Ratelimit.slidingWindow(5, '60 s')],
      ['tokenBucket', Ratelimit.tokenBucket(5, '60 s', 5)],
    ])('%s admits exactly its limit, in parallel too', async (name, algorithm) => {
      const limit = limiter({ limiter: algorithm })
      const answers = await Promise.all(Array.from({ length: 20 }, () => limit.limit(name)))
      expect(answers.filter(({ success }) => success)).toHaveLength(5)
      expect((await limit.getRemaining(name)).remaining).toBe(0)
      expect((await limit.limit(name)).success).toBe(false)
      await limit.resetUsedTokens(name)
      expect((await limit.getRemaining(name)).remaining).toBe(5)
      expect(await limit.limit(name)).toMatchObject({ success: true, limit: 5, remaining: 4 })
    })

    it('cachedFixedWindow counts in its cache and in Redis', async () => {
      const limit = new Ratelimit({
        redis: target().redis,
        prefix: target().key('cached'),
        limiter: Ratelimit.cachedFixedWindow(3, '60 s'),
        ephemeralCache: new Map(),
      })
      const answers = []
      for (let at = 0; at < 5; at++) answers.push((await limit.limit('one')).success)
      expect(answers).toEqual([true, true, true, false, false])
    })

    it.each([
      ['fixedWindow', Ratelimit.fixedWindow(10, '1 d')],
      ['slidingWindow', Ratelimit.slidingWindow(10, '60 s')],
      ['tokenBucket', Ratelimit.tokenBucket(10, '60 s', 10)],
    ])('%s charges a custom rate', async (name, algorithm) => {
      const limit = limiter({ limiter: algorithm })
      expect(await limit.limit(`rate-${name}`, { rate: 4 })).toMatchObject({ success: true, remaining: 6 })
      expect(await limit.limit(`rate-${name}`, { rate: 4 })).toMatchObject({ success: true, remaining: 2 })
      expect(await limit.limit(`rate-${name}`, { rate: 4 })).toMatchObject({ success: false })
    })

    it.each([
      ['fixedWindow', Ratelimit.fixedWindow(5, '1 d')],
      ['slidingWindow', Ratelimit.slidingWindow(5, '60 s')],
      ['tokenBucket', Ratelimit.tokenBucket(5, '60 s', 5)],
    ])('%s takes a dynamic limit', async (name, algorithm) => {
      const limit = limiter({
        limiter: algorithm,
        dynamicLimits: true,
        prefix: target().key(`dynamic-${name}`),
      })
      await limit.setDynamicLimit({ limit: 2 })
      expect(await limit.getDynamicLimit()).toEqual({ dynamicLimit: 2 })
      const answers = await Promise.all(Array.from({ length: 6 }, () => limit.limit('one')))
      expect(answers.filter(({ success }) => success)).toHaveLength(2)
      await limit.setDynamicLimit({ limit: false })
      expect(await limit.getDynamicLimit()).toEqual({ dynamicLimit: null })
    })

    it('blocks until a window is over', async () => {
      const limit = limiter({ limiter: Ratelimit.fixedWindow(1, '1 s') })
      await limit.limit('blocking')
      expect((await limit.blockUntilReady('blocking', 3000)).success).toBe(true)
    })

    it('denies the deny-listed', async () => {
      const { redis, key } = target()
      const prefix = key('denying')
      await redis.sadd(`${prefix}:denyList:all`, 'bad-ip')
      // Without it the library fetches a list of addresses from the network.
      await redis.set(`${prefix}:ipDenyListStatus`, 'disabled')
      const limit = limiter({ limiter: Ratelimit.fixedWindow(10, '1 d'), prefix, enableProtection: true })
      expect(await limit.limit('someone', { ip: 'good-ip' })).toMatchObject({ success: true })
      expect(await limit.limit('someone', { ip: 'bad-ip' })).toMatchObject({
        success: false,
        reason: 'denyList',
      })
    })
  })
}
