import { describe, expect, test } from 'vitest'
import { rateLimitHeaders, retryAfter } from '../../src/limits/headers.ts'
import type { Decision, Judged } from '../../src/limits/limiter.ts'
import { compilePolicies, type Policy } from '../../src/limits/policy.ts'

const NOW = 1_800_000_000_400

const judged = (
  policy: Partial<Policy>,
  standing?: Partial<Judged['standing']>,
  violated = false,
): Judged => ({
  policy: compilePolicies([
    { name: 'api', match: '/*', by: 'ip', limit: 100, per: '60s', ...policy },
  ])[0] as Judged['policy'],
  standing: standing && { allowed: !violated, remaining: 0, resetMs: 0, retryMs: 0, taken: 1, ...standing },
  violated,
})
const headers = (...all: Judged[]) =>
  Object.fromEntries(
    rateLimitHeaders(
      { outcome: 'allowed', judged: all, retryMs: 0, fresh: true, degraded: false } satisfies Decision,
      NOW,
    ),
  )

describe('the headers, to the byte', () => {
  test('of one limit', () => {
    expect(headers(judged({}, { remaining: 87, resetMs: 30_001 }))).toEqual({
      'RateLimit-Policy': '"api";q=100;w=60',
      RateLimit: '"api";r=87;t=31',
      'X-RateLimit-Limit': '100',
      'X-RateLimit-Remaining': '87',
      'X-RateLimit-Reset': '1800000032',
    })
  })

  test('of several, of which the tightest is told in the older headers', () => {
    expect(
      headers(
        judged({}, { remaining: 60, resetMs: 24_000 }),
        judged({ name: 'login', limit: 5, per: '15m' }, { remaining: 2, resetMs: 900_000 }),
        judged({ name: 'second', limit: 10, per: '500ms' }, { remaining: 9, resetMs: 50 }),
      ),
    ).toEqual({
      'RateLimit-Policy': '"api";q=100;w=60, "login";q=5;w=900, "second";q=10;w=1',
      RateLimit: '"api";r=60;t=24, "login";r=2;t=900, "second";r=9;t=1',
      'X-RateLimit-Limit': '5',
      'X-RateLimit-Remaining': '2',
      'X-RateLimit-Reset': '1800000901',
    })
  })

  test('of one that refuses: no client is told to come earlier than it would be admitted', () => {
    const refused = judged(
      { name: 'login', limit: 5 },
      { remaining: 0, resetMs: 60_000, retryMs: 11_001 },
      true,
    )
    expect(headers(judged({}, { remaining: 0, resetMs: 59_000 }), refused)).toMatchObject({
      RateLimit: '"api";r=0;t=59, "login";r=0;t=12',
      'X-RateLimit-Limit': '5',
      'X-RateLimit-Reset': '1800000013',
    })
  })

  test('where nobody knows how the limits stand: what holds, and no numbers that pass', () => {
    expect(headers(judged({}))).toEqual({
      'RateLimit-Policy': '"api";q=100;w=60',
      'X-RateLimit-Limit': '100',
    })
  })

  test('where one of them is known to refuse, and the others were not asked', () => {
    const refused = judged({ name: 'login', limit: 5 }, { remaining: 0, retryMs: 900 }, true)
    expect(headers(judged({}), refused)).toMatchObject({
      'RateLimit-Policy': '"api";q=100;w=60, "login";q=5;w=60',
      RateLimit: '"login";r=0;t=1',
      'X-RateLimit-Limit': '5',
    })
  })
})

test.each([
  [0, 1],
  [1, 1],
  [1000, 1],
  [1001, 2],
  [899_999.5, 900],
])('%s ms are %s s to wait', (retryMs, seconds) => {
  expect(retryAfter({ retryMs })).toBe(seconds)
})
