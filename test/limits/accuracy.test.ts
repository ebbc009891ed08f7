import { describe, expect, test } from 'vitest'
import {
  ALGORITHMS,
  type Decide,
  edgeBurst,
  LIMIT,
  mostWithin,
  shareOf,
  streams,
  WINDOW_MS,
  worstWindow,
} from '../../bench/rate-limit-accuracy.ts'

const algorithm = (name: string) => ALGORITHMS[name] as () => Decide

describe.each([
  ['GCRA, burst 100', 100],
  ['GCRA, burst 10', 10],
])('%s', (name, burst) => {
  test('never lets in more than its burst and its limit in any window, whatever comes', () => {
    expect(worstWindow(algorithm(name))).toBeLessThanOrEqual(burst + LIMIT)
    expect(edgeBurst(algorithm(name))).toBeLessThanOrEqual(burst + Math.ceil((LIMIT * 1000) / WINDOW_MS))
  })

  test.each([0.9, 1.2])('of strangers at a load of %s neither', (load) => {
    for (const { admitted } of streams(algorithm(name), load)) {
      expect(mostWithin(WINDOW_MS, admitted)).toBeLessThanOrEqual(burst + LIMIT)
    }
  })
})

test('GCRA lets in 99.5 % and more of strangers who want 90 % of the limit', () => {
  expect(shareOf(streams(algorithm('GCRA, burst 100'), 0.9))).toBeGreaterThanOrEqual(0.995)
})

test('and nearly all that there is room for when they want 120 %', () => {
  expect(shareOf(streams(algorithm('GCRA, burst 100'), 1.2))).toBeGreaterThanOrEqual(0.83)
})

test('an exact log never lets in more than its limit', () => {
  for (const { admitted } of streams(algorithm('exact log'), 1.2)) {
    expect(mostWithin(WINDOW_MS, admitted)).toBe(LIMIT)
  }
  expect(edgeBurst(algorithm('exact log'))).toBe(LIMIT)
})

test('what others do is as it was measured', () => {
  expect(edgeBurst(algorithm('fixed window'))).toBe(2 * LIMIT)
  expect(shareOf(streams(algorithm('@upstash sliding window'), 0.9))).toBeLessThan(0.9)
  expect(shareOf(streams(algorithm('@upstash sliding window'), 1.2))).toBeLessThan(0.55)
})
