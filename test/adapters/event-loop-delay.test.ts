import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createEventLoopDelay } from '../../adapters/event-loop-delay.ts'

// A timer fires when the clock is advanced, and a blocked event loop is a clock that goes on while no timer does.
let now = 0
const pass = (ms: number) => {
  for (let at = 0; at < ms; at++) {
    now++
    vi.advanceTimersByTime(1)
  }
}
const block = (ms: number) => {
  now += ms
}

beforeEach(() => {
  now = 0
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => void vi.useRealTimers())

test('nothing is measured before it is asked for', () => {
  const delay = createEventLoopDelay(() => now)
  expect(vi.getTimerCount()).toBe(0)
  expect(delay()).toBe(0)
  expect(vi.getTimerCount()).toBe(1)
})

test('an idle loop is not late', () => {
  const delay = createEventLoopDelay(() => now)
  delay()
  pass(1000)
  expect(delay()).toBeLessThan(1)
})

test('a delay is seen while it lasts, as far as anything was due', () => {
  const delay = createEventLoopDelay(() => now)
  delay()
  pass(100)
  block(300)
  expect(delay()).toBeGreaterThanOrEqual(280)
  expect(delay()).toBeLessThanOrEqual(300)
})

test('and is forgiven by half every quarter of a second', () => {
  const delay = createEventLoopDelay(() => now)
  delay()
  pass(100)
  block(800)
  pass(20)
  const worst = delay()
  expect(worst).toBeGreaterThan(700)
  pass(250)
  expect(delay()).toBeCloseTo(worst / 2, 0)
  pass(750)
  expect(delay()).toBeLessThan(worst / 15)
})

test('a lesser delay does not hide a greater one', () => {
  const delay = createEventLoopDelay(() => now)
  delay()
  block(500)
  pass(40)
  block(60)
  pass(20)
  expect(delay()).toBeGreaterThan(350)
})
