import { describe, expect, test } from 'vitest'
import { CheckFailure, type FailureCode } from '../../src/health/failure.ts'
import { withBreaker } from '../../src/store/breaker.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import type { Charge, Store } from '../../src/store/store.ts'

const LIMIT: Charge = { key: 'k', algorithm: 'gcra', capacity: 5, periodMs: 1000, cost: 1 }

const setUp = () => {
  const memory = createMemoryStore()
  let answer: 'well' | 'never' | Error = 'well'
  let asked = 0
  let now = 1_800_000_000_000
  const background: Promise<unknown>[] = []
  const changes: (FailureCode | undefined)[] = []
  let answers = 0
  const store: Store = {
    ...memory,
    async charge(charges, context) {
      asked += 1
      if (answer === 'never') return new Promise<never>(() => {})
      if (answer !== 'well') throw answer
      return memory.charge(charges, context)
    },
    async read(key) {
      if (answer !== 'well') throw answer
      return memory.read(key)
    },
  }
  const breaker = withBreaker({
    store,
    deadlineMs: 30,
    onChange: (away) => changes.push(away),
    onAnswer() {
      answers += 1
    },
  })
  return {
    breaker,
    charge: () => breaker.charge([LIMIT], { now, waitUntil: (work) => void background.push(work) }),
    become(next: typeof answer) {
      answer = next
    },
    pass(milliseconds: number) {
      now += milliseconds
    },
    asked: () => asked,
    background,
    changes,
    answers: () => answers,
  }
}

describe('a store that fails', () => {
  test('answers as it does while all is well', async () => {
    const house = setUp()
    expect(await house.charge()).toMatchObject({ allowed: true, standings: [{ remaining: 4 }] })
    expect(house.breaker.away()).toBeUndefined()
    expect(house.changes).toEqual([])
    expect(house.answers()).toBe(1)
  })

  test('never rejects, and after three failures in a row is asked no more', async () => {
    const house = setUp()
    house.become(new CheckFailure('bad_response'))
    for (let i = 0; i < 3; i++) expect(await house.charge()).toBeUndefined()
    expect(house.breaker.away()).toBe('bad_response')
    // At once, without so much as a turn of the loop.
    for (let i = 0; i < 100; i++) expect(house.charge()).toBeUndefined()
    expect(house.asked()).toBe(3)
    expect(house.changes).toEqual(['bad_response'])
  })

  test('keeps nobody waiting beyond the deadline', async () => {
    const house = setUp()
    house.become('never')
    const began = performance.now()
    expect(await house.charge()).toBeUndefined()
    expect(performance.now() - began).toBeLessThan(500)
    await Promise.all([house.charge(), house.charge()])
    expect(house.breaker.away()).toBe('timeout')
  })

  test('failures that are not in a row do not count', async () => {
    const house = setUp()
    for (let i = 0; i < 5; i++) {
      house.become(new Error('reset'))
      await house.charge()
      await house.charge()
      house.become('well')
      for (let well = 0; well < 3; well++) await house.charge()
    }
    expect(house.breaker.away()).toBeUndefined()
    expect(house.changes).toEqual([])
  })

  test('is tried every two seconds by one visit that does not wait, and is back with the first answer', async () => {
    const house = setUp()
    house.become('never')
    await Promise.all([house.charge(), house.charge(), house.charge()])
    house.pass(1999)
    expect(house.charge()).toBeUndefined()
    expect(house.asked()).toBe(3)
    house.pass(1)
    expect(house.charge()).toBeUndefined()
    expect(house.charge()).toBeUndefined()
    expect(house.asked()).toBe(4)
    await Promise.all(house.background)
    expect(house.breaker.away()).toBe('timeout')
    house.become('well')
    house.pass(2000)
    expect(house.charge()).toBeUndefined()
    await Promise.all(house.background)
    expect(house.breaker.away()).toBeUndefined()
    expect(await house.charge()).toMatchObject({ allowed: true })
    expect(house.changes).toEqual(['timeout', undefined])
  })

  test('is tried again although the clock was set back', async () => {
    const house = setUp()
    house.become(new Error('refused'))
    for (let i = 0; i < 3; i++) await house.charge()
    house.pass(-3_600_000)
    house.become('well')
    house.charge()
    await Promise.all(house.background)
    expect(house.breaker.away()).toBeUndefined()
  })

  test('is back by a look alone, where no visit comes', async () => {
    const house = setUp()
    house.become(new CheckFailure('refused'))
    for (let i = 0; i < 3; i++) await house.breaker.look(0)
    expect(house.breaker.away()).toBe('refused')
    house.become('well')
    await house.breaker.look(0)
    expect(house.breaker.away()).toBeUndefined()
    expect(await house.charge()).toMatchObject({ standings: [{ remaining: 4 }] })
  })

  test('is given up too where half of what it is asked never comes back', async () => {
    const house = setUp()
    for (let i = 0; i < 6; i++) {
      house.become(new CheckFailure('timeout'))
      await house.charge()
      house.become('well')
      if (i < 5) await house.charge()
    }
    expect(house.changes).toEqual(['timeout'])
  })

  test('tells an operator that there is no answer, and does not count it', async () => {
    const house = setUp()
    house.become(new Error('refused'))
    for (let i = 0; i < 5; i++) expect(await house.breaker.read('k')).toBeUndefined()
    expect(house.breaker.away()).toBeUndefined()
    house.become('well')
    expect(await house.breaker.read('k')).toBeNull()
  })
})
