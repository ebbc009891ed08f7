import { describe, expect, test } from 'vitest'
import { simulate } from '../../bench/rate-limit-leases.ts'
import type { Visit } from '../../src/gates/gate.ts'
import { createLimiter } from '../../src/limits/limiter.ts'
import type { Policy } from '../../src/limits/policy.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import type { Store, Verdict } from '../../src/store/store.ts'

describe('leases, on twenty instances at once', () => {
  test.each([
    { limit: 600, lease: 10, offered: 5 },
    { limit: 6000, lease: 10, offered: 120 },
    { limit: 60_000, lease: 20, offered: 900 },
    { limit: 60_000, lease: 20, offered: 1200 },
    { limit: 60_000, lease: 50, offered: 3000 },
  ])('$limit a minute in blocks of $lease, $offered requests a second', ({ limit, lease, offered }) => {
    for (const seed of [1, 2]) {
      const result = simulate({ isolates: 20, limit, lease, offered, seconds: 150, seed })
      expect(result.worstMinute).toBeLessThanOrEqual(2 * limit)
      expect(1 - result.admitted / result.admissible).toBeLessThanOrEqual(0.01)
      expect(result.asked).toBeLessThanOrEqual(result.offered)
    }
  })

  test('a hot limit is asked for once in many requests', () => {
    const hot = { isolates: 20, limit: 60_000, offered: 900, seconds: 60 }
    expect(simulate({ ...hot, lease: 0 }).asked).toBe(simulate({ ...hot, lease: 0 }).offered)
    const leased = simulate({ ...hot, lease: 20 })
    expect(leased.asked / leased.offered).toBeLessThan(0.25)
  })

  test('an instance that is not hot takes no block', () => {
    const { asked, offered, admitted } = simulate({
      isolates: 20,
      limit: 600,
      lease: 10,
      offered: 5,
      seconds: 60,
    })
    expect([asked, admitted]).toEqual([offered, offered])
  })
})

describe('a leased limit', () => {
  const hot: Policy = {
    name: 'hot',
    match: '/*',
    by: 'custom',
    key: () => 'one',
    limit: 60_000,
    per: '60s',
    lease: 20,
  }
  /** Tokens that are gone from the hot limit after so many requests at 500 a second. */
  const taken = (policies: Policy[], requests: number) => {
    let now = 1_800_000_000_000
    let tokens = 0
    const memory = createMemoryStore()
    const store: Store = {
      ...memory,
      charge(charges, context) {
        const verdict = memory.charge(charges, context) as Verdict
        charges.forEach(({ key }, index) => {
          if (key.includes(':hot')) tokens += verdict.standings[index]?.taken ?? 0
        })
        return verdict
      },
    }
    const limiter = createLimiter({
      policies,
      store,
      clock: () => now,
      addressOf: () => '192.0.2.1',
      principalOf: () => undefined,
    })
    for (let i = 0; i < requests; i++) {
      now += 2
      limiter.ask({ now, path: '/', method: 'GET', afterwards: [], waitUntil() {} } as unknown as Visit)
    }
    return tokens
  }

  test('beside one that is not: no token is taken that nobody spends', () => {
    const api: Policy = { name: 'api', match: '/*', by: 'ip', limit: 10_000, per: '1s' }
    expect(taken([hot, api], 5000)).toBe(5000)
  })

  test('alone: those in hand are all that is taken beside what was spent', () => {
    expect(taken([hot], 5000)).toBeGreaterThanOrEqual(5000)
    expect(taken([hot], 5000)).toBeLessThan(5000 + 2 * 20)
  })

  test('whose requests cost more than a block takes what they cost', () => {
    expect(taken([{ ...hot, cost: 50 }], 1000)).toBe(50_000)
  })
})
