import { describe, expect, test } from 'vitest'
import type { Criticality } from '../../src/health/check.ts'
import { type CheckStatus, isReady, type Verdict, verdictOf } from '../../src/health/verdict.ts'

const TRUTH: [Criticality, CheckStatus, Verdict, ready: boolean][] = [
  ['critical', 'ok', 'ok', true],
  ['critical', 'warn', 'degraded', true],
  ['critical', 'down', 'unavailable', false],
  ['critical', 'unknown', 'unknown', false],
  ['degrading', 'ok', 'ok', true],
  ['degrading', 'warn', 'degraded', true],
  ['degrading', 'down', 'degraded', true],
  ['degrading', 'unknown', 'degraded', true],
  ['info', 'ok', 'ok', true],
  ['info', 'warn', 'ok', true],
  ['info', 'down', 'ok', true],
  ['info', 'unknown', 'ok', true],
]

test.each(TRUTH)('%s and %s: %s', (criticality, status, verdict, ready) => {
  expect(verdictOf([{ criticality, status }])).toBe(verdict)
  expect(isReady(verdict)).toBe(ready)
})

describe('of several the worst counts', () => {
  const check = ([criticality, status]: (typeof TRUTH)[number]) => ({ criticality, status })
  const ORDER: Verdict[] = ['ok', 'degraded', 'unknown', 'unavailable']

  test('of any two, in either order', () => {
    for (const one of TRUTH) {
      for (const other of TRUTH) {
        const worst = ORDER[Math.max(ORDER.indexOf(one[2]), ORDER.indexOf(other[2]))]
        expect(verdictOf([check(one), check(other)])).toBe(worst)
      }
    }
  })

  test('of none there is nothing wrong', () => {
    expect(verdictOf([])).toBe('ok')
  })
})
