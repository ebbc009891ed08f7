import { describe, expect, test } from 'vitest'
import { simulate } from '../../bench/rate-limit-leases.ts'

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
