import { describe, expect, test } from 'vitest'
import { type Standing, settle, UNKNOWN } from '../../src/health/hysteresis.ts'

const after = (outcomes: string, from: Standing = UNKNOWN): Standing['status'] =>
  [...outcomes].reduce((standing, outcome) => settle(standing, outcome === 'S'), from).status

describe('what outcomes in a row make of a dependency', () => {
  test.each([
    ['', 'unknown'],
    ['S', 'up'],
    ['F', 'unknown'],
    ['FF', 'unknown'],
    ['FFF', 'down'],
    ['FFS', 'up'],
    ['SFSFSF', 'up'],
    ['SFFSFF', 'up'],
    ['SFFF', 'down'],
    ['SFFFS', 'down'],
    ['SFFFSFS', 'down'],
    ['SFFFSS', 'up'],
    ['SFFFSSFF', 'up'],
  ])('%s: %s', (outcomes, status) => {
    expect(after(outcomes)).toBe(status)
  })
})

/** Reads the whole history anew each time: the last change is where enough outcomes in a row said so. */
const model = (outcomes: readonly boolean[]): Standing['status'] => {
  let status: Standing['status'] = 'unknown'
  let begins = 0
  outcomes.forEach((_, index) => {
    const sinceChange = outcomes.slice(begins, index + 1)
    const last = (count: number, value: boolean) =>
      sinceChange.length >= count && sinceChange.slice(-count).every((outcome) => outcome === value)
    const next =
      status === 'down'
        ? last(2, true)
          ? 'up'
          : 'down'
        : last(3, false)
          ? 'down'
          : last(1, true)
            ? 'up'
            : status
    if (next !== status) begins = index + 1
    status = next
  })
  return status
}

test('ten thousand histories at random agree with a model that is written another way', () => {
  let seed = 42
  const random = () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return seed / 2 ** 32
  }
  const seen = new Set<string>()
  for (let i = 0; i < 10_000; i++) {
    const chance = random()
    const outcomes = Array.from({ length: Math.floor(random() * 24) }, () => random() < chance)
    const expected = model(outcomes)
    seen.add(expected)
    const status = after(outcomes.map((outcome) => (outcome ? 'S' : 'F')).join(''))
    if (status !== expected) expect([outcomes, status]).toEqual([outcomes, expected])
  }
  expect(seen).toEqual(new Set(['unknown', 'up', 'down']))
})
