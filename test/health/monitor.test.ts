import { describe, expect, test } from 'vitest'
import type { Check } from '../../src/health/check.ts'
import { CheckFailure } from '../../src/health/failure.ts'
import { createMonitor, type MonitorOptions, type Transition } from '../../src/health/monitor.ts'

/** A dependency that does as it is told, and a clock of its own for the time between looks. */
const setUp = (over: Partial<Check> = {}, options: Partial<MonitorOptions> = {}) => {
  let now = 1_800_000_000_000
  let runs = 0
  let behave: () => Promise<unknown> = async () => {}
  const transitions: Transition[] = []
  const background: Promise<unknown>[] = []
  const check: Check = {
    name: 'database',
    criticality: 'critical',
    ...over,
    run() {
      runs += 1
      return behave()
    },
  }
  const monitor = createMonitor({
    checks: [check],
    mode: 'active',
    clock: () => now,
    onTransition: (transition) => transitions.push(transition),
    ...options,
  })
  const look = () => monitor.look({ waitUntil: (work) => void background.push(work) })
  return {
    monitor,
    look,
    reading: async () => (await look())[0],
    pass(milliseconds: number) {
      now += milliseconds
    },
    become(next: () => Promise<unknown>) {
      behave = next
    },
    /** Looks once for each letter, a second apart: S works, F does not. */
    async history(outcomes: string) {
      for (const outcome of outcomes) {
        behave = outcome === 'S' ? async () => {} : () => Promise.reject(new CheckFailure('refused'))
        now += 60_000
        await look()
      }
      return monitor.readings()[0]?.status
    },
    runs: () => runs,
    now: () => now,
    transitions,
    background,
  }
}

const never = () => new Promise<never>(() => {})
const refused = () => Promise.reject(new CheckFailure('refused'))
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('looking', () => {
  test('knows nothing before, and what it saw afterwards', async () => {
    const house = setUp()
    expect(house.monitor.readings()).toMatchObject([{ status: 'unknown', stale: false, seenAt: undefined }])
    expect(await house.look()).toMatchObject([
      { name: 'database', status: 'ok', stale: false, code: undefined },
    ])
  })

  test('asks once for two hundred who come at once', async () => {
    const house = setUp()
    house.become(() => new Promise((resolve) => setTimeout(resolve, 20)))
    const all = await Promise.all(Array.from({ length: 200 }, () => house.look()))
    expect(house.runs()).toBe(1)
    expect(all.every(([reading]) => reading?.status === 'ok')).toBe(true)
    expect(house.background).toHaveLength(1)
  })

  test('asks again once an outcome is no longer fresh, and not before', async () => {
    const house = setUp({ freshMs: 5000 })
    await house.look()
    house.pass(4999)
    await house.look()
    expect(house.runs()).toBe(1)
    house.pass(1)
    await house.look()
    expect(house.runs()).toBe(2)
  })

  test('looks at what is asked for alone', async () => {
    const house = setUp()
    expect(await house.monitor.look({ waitUntil() {} }, ['other'])).toEqual([])
    expect(house.runs()).toBe(0)
  })

  test('a check that warns works, but not well', async () => {
    const house = setUp()
    house.become(async () => 'warn')
    expect(await house.look()).toMatchObject([{ status: 'warn' }])
    house.become(async () => 'whatever else')
    house.pass(60_000)
    expect(await house.look()).toMatchObject([{ status: 'ok' }])
  })

  test('a check that throws at once, or what is no error, is a failure like any other', async () => {
    const house = setUp()
    for (const thrown of [null, 'text', new Error('postgres://app:secret@db.internal/app')]) {
      house.become(() => {
        throw thrown
      })
      house.pass(60_000)
      expect((await house.look())[0]?.code).toBe('refused')
    }
    expect(house.monitor.readings()[0]?.status).toBe('down')
    expect(JSON.stringify(house.monitor.readings()) + JSON.stringify(house.transitions)).not.toMatch(
      /secret|db\./,
    )
  })
})

describe('an answer waits for nobody', () => {
  test('five hundred in a row while every look hangs: what is known, at once', async () => {
    const house = setUp({ timeoutMs: 2000 })
    await house.look()
    house.become(never)
    house.pass(60_000)
    const times: number[] = []
    for (let i = 0; i < 500; i++) {
      const began = performance.now()
      const [reading] = await house.look()
      times.push(performance.now() - began)
      expect(reading).toMatchObject({ status: 'ok', stale: true })
    }
    times.sort((a, b) => a - b)
    expect(times[494]).toBeLessThan(100)
    expect(house.runs()).toBe(2)
  })

  test('and where nothing is known yet, not for long', async () => {
    const house = setUp()
    house.become(never)
    const began = performance.now()
    const all = await Promise.all([house.look(), house.look(), house.look()])
    expect(performance.now() - began).toBeLessThan(200)
    expect(all.map(([reading]) => reading?.status)).toEqual(['unknown', 'unknown', 'unknown'])
    expect(house.runs()).toBe(1)
  })

  test('what comes late is known to the next', async () => {
    const house = setUp()
    house.become(() => new Promise((resolve) => setTimeout(resolve, 120)))
    expect(await house.reading()).toMatchObject({ status: 'unknown' })
    await Promise.all(house.background)
    expect(await house.reading()).toMatchObject({ status: 'ok' })
    expect(house.runs()).toBe(1)
  })

  test('a look that was never finished is made again when its time is over, and its own end is too late', async () => {
    const house = setUp({ timeoutMs: 2000 })
    let finish: (value: unknown) => void = () => {}
    house.become(
      () =>
        new Promise((resolve) => {
          finish = resolve
        }),
    )
    await house.look()
    house.pass(2499)
    await house.look()
    expect(house.runs()).toBe(1)
    house.pass(1)
    house.become(refused)
    await house.look()
    expect(house.runs()).toBe(2)
    finish(undefined)
    await settled()
    expect(house.monitor.readings()).toMatchObject([{ status: 'unknown', code: 'refused' }])
  })

  test('a clock that was set back holds nothing up', async () => {
    const house = setUp()
    house.become(never)
    await house.look()
    house.pass(-3_600_000)
    house.become(async () => {})
    expect(await house.reading()).toMatchObject({ status: 'ok' })
    house.pass(-3_600_000)
    await house.look()
    expect(house.runs()).toBe(3)
  })
})

describe('outcomes in a row', () => {
  test.each([
    ['FSFSF', 'ok'],
    ['SFF', 'ok'],
    ['SFFF', 'down'],
    ['SFFFS', 'down'],
    ['SFFFSS', 'ok'],
  ])('%s: %s', async (outcomes, status) => {
    expect(await setUp().history(outcomes)).toBe(status)
  })

  test('count looks, not those who ask', async () => {
    const house = setUp()
    await house.look()
    house.become(refused)
    house.pass(60_000)
    for (let i = 0; i < 50; i++) await house.look()
    expect(house.monitor.readings()).toMatchObject([{ status: 'ok', code: 'refused' }])
    expect(house.runs()).toBe(2)
  })

  test('what is in doubt is looked at again after a second, so that it takes three to be sure', async () => {
    const house = setUp({ freshMs: 60_000 })
    await house.look()
    house.become(refused)
    house.pass(60_000)
    for (let i = 0; i < 3; i++) {
      await house.look()
      house.pass(1000)
    }
    expect(house.monitor.readings()).toMatchObject([{ status: 'down', code: 'refused' }])
    house.become(async () => {})
    for (let i = 0; i < 2; i++) {
      await house.look()
      house.pass(1000)
    }
    expect(house.monitor.readings()).toMatchObject([{ status: 'ok', code: undefined }])
  })

  test('each change is told once, and kept; getting to know what works is none', async () => {
    const house = setUp()
    await house.history('SSFFFFFSSSFFF')
    expect(house.transitions.map(({ from, to, code }) => [from, to, code])).toEqual([
      ['ok', 'down', 'refused'],
      ['down', 'ok', undefined],
      ['ok', 'down', 'refused'],
    ])
    expect(house.monitor.history()).toEqual([...house.transitions].reverse())
  })

  test('of many changes the last hundred are kept', async () => {
    const house = setUp()
    await house.history('SFFFS'.repeat(1) + 'SFFFS'.repeat(150))
    expect(house.transitions.length).toBeGreaterThan(150)
    expect(house.monitor.history()).toHaveLength(100)
    expect(house.monitor.history()[0]).toEqual(house.transitions.at(-1))
  })
})

describe('what a look costs', () => {
  const dear = { costs: true, sleeps: true, freshMs: 60_000 }

  /** A probe every ten seconds for so many minutes. */
  const probe = async (house: ReturnType<typeof setUp>, minutes: number) => {
    for (let i = 0; i < minutes * 6; i++) {
      house.pass(10_000)
      await house.look()
    }
  }

  test('passive: fifteen idle minutes of probes ask nothing, and say that they do not know better', async () => {
    const house = setUp(dear, { mode: 'passive' })
    await house.look()
    await probe(house, 15)
    expect(house.runs()).toBe(1)
    expect(house.monitor.readings()).toMatchObject([{ status: 'ok', stale: true }])
  })

  test('active: once a minute at most', async () => {
    const house = setUp(dear)
    await house.look()
    await probe(house, 15)
    expect(house.runs()).toBe(16)
  })

  test('nothing while real traffic says how it is', async () => {
    const house = setUp(dear)
    await house.look()
    for (let i = 0; i < 900; i++) {
      house.pass(1000)
      house.monitor.witness('database', undefined)
      await house.look()
    }
    expect(house.runs()).toBe(1)
    expect(house.monitor.readings()).toMatchObject([{ status: 'ok', stale: false }])
  })

  test('passive, but what is wrong is looked at until it is right', async () => {
    const house = setUp(dear, { mode: 'passive' })
    await house.look()
    house.pass(600_000)
    house.become(refused)
    house.monitor.witness('database', 'refused')
    await probe(house, 1)
    expect(house.monitor.readings()).toMatchObject([{ status: 'down' }])
    house.become(async () => {})
    await probe(house, 1)
    expect(house.monitor.readings()).toMatchObject([{ status: 'ok' }])
    const runs = house.runs()
    await probe(house, 15)
    expect(house.runs()).toBe(runs)
  })
})

describe('real traffic', () => {
  test('that fails makes the next look due, which decides', async () => {
    const house = setUp({ freshMs: 60_000 })
    await house.look()
    house.pass(1000)
    for (let i = 0; i < 1000; i++) house.monitor.witness('database', 'timeout')
    expect(house.monitor.readings()).toMatchObject([{ status: 'ok' }])
    expect(await house.reading()).toMatchObject({ status: 'ok', code: undefined })
    expect(house.runs()).toBe(2)
    house.become(refused)
    for (let i = 0; i < 3; i++) {
      house.pass(1000)
      house.monitor.witness('database', 'timeout')
      await house.look()
    }
    expect(house.monitor.readings()).toMatchObject([{ status: 'down', code: 'refused' }])
  })

  test('one endpoint that fails for ever takes nothing down, and keeps nothing down', async () => {
    const house = setUp({ freshMs: 60_000 })
    await house.look()
    for (let i = 0; i < 60; i++) {
      house.pass(1000)
      house.monitor.witness('database', 'timeout')
      await house.look()
    }
    expect(house.monitor.readings()).toMatchObject([{ status: 'ok' }])
    expect(house.transitions).toEqual([])
  })

  test('that works heals no doubt and no outage: a look does', async () => {
    const house = setUp()
    await house.history('SFFF')
    for (let i = 0; i < 10; i++) {
      house.pass(100)
      house.monitor.witness('database', undefined)
    }
    expect(house.monitor.readings()).toMatchObject([{ status: 'down' }])
  })

  test('that works is believed where nothing is known', () => {
    const house = setUp()
    house.monitor.witness('database', undefined, { latencyMs: 7 })
    expect(house.monitor.readings()).toMatchObject([{ status: 'ok', latencyMs: 7 }])
  })

  test('of who has made sure is believed at once', () => {
    const house = setUp()
    house.monitor.witness('database', 'timeout', { certain: true })
    expect(house.monitor.readings()).toMatchObject([{ status: 'down', code: 'timeout' }])
    house.monitor.witness('database', undefined, { certain: true })
    expect(house.monitor.readings()).toMatchObject([{ status: 'ok' }])
  })

  test('of what nobody looks after is nothing', () => {
    expect(() => setUp().monitor.witness('other', 'refused')).not.toThrow()
  })
})

test('whoever looks at one thing waits for another that nothing is known of and somebody looks at', async () => {
  const slow: Check = {
    name: 'slow',
    criticality: 'critical',
    run: () => new Promise((resolve) => setTimeout(resolve, 20)),
  }
  const quick: Check = { name: 'quick', criticality: 'critical', run: async () => {} }
  const monitor = createMonitor({ checks: [slow, quick], mode: 'active', clock: Date.now })
  const first = monitor.look({ waitUntil() {} }, ['slow'])
  expect((await monitor.look({ waitUntil() {} })).map(({ status }) => status)).toEqual(['ok', 'ok'])
  await first
})

describe('a dependency that sleeps', () => {
  const late = () => Promise.reject(new CheckFailure('timeout'))

  test('is warming when it is late for the first time after a long silence, and that is no failure', async () => {
    const house = setUp({ sleeps: true })
    await house.look()
    house.pass(300_000)
    house.become(late)
    expect(await house.reading()).toMatchObject({ status: 'ok', warming: true })
    // Soon, since it is about to wake up.
    house.pass(1000)
    house.become(async () => {})
    expect(await house.reading()).toMatchObject({ status: 'ok', warming: false })
  })

  test('which it can say once: after that it fails like any other', async () => {
    const house = setUp({ sleeps: true })
    await house.look()
    house.pass(300_000)
    house.become(late)
    for (let i = 0; i < 4; i++) {
      await house.look()
      house.pass(10_000)
    }
    expect(house.monitor.readings()).toMatchObject([{ status: 'down', warming: false, code: 'timeout' }])
  })

  test('which is not said of one that refuses, nor of one that never sleeps', async () => {
    for (const [over, behave] of [
      [{ sleeps: true }, refused],
      [{}, late],
    ] as const) {
      const house = setUp(over)
      await house.look()
      house.pass(300_000)
      house.become(behave)
      expect((await house.reading())?.warming).toBe(false)
    }
  })
})
