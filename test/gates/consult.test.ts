import { describe, expect, test } from 'vitest'
import { consult } from '../../src/gates/consult.ts'
import type { Visit } from '../../src/gates/gate.ts'
import { createLimiter } from '../../src/limits/limiter.ts'
import type { Policy } from '../../src/limits/policy.ts'
import { withBreaker } from '../../src/store/breaker.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import { createRedisStore } from '../../src/store/redis-store.ts'
import type { Charge, Command, Reply, Rider, Verdict } from '../../src/store/store.ts'
import { createSwitchboard } from '../../src/switches/switchboard.ts'

const api: Policy = {
  name: 'api',
  match: '/api/*',
  by: 'custom',
  key: ({ path }) => path,
  limit: 2,
  per: '1h',
}

/** Lets everything happen that waits for nothing outside. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** The gate over everything real but Redis itself, whose every request is written down. */
const setUp = () => {
  const memory = createMemoryStore()
  let now = 1_800_000_000_000
  let isWell = true
  let isBlocked = false
  const requests: string[][] = []
  const held: (() => void)[] = []
  let isHolding = false

  const charged = ([, , count, ...rest]: Command): Reply => {
    const charges = Array.from({ length: Number(count) }, (_, index): Charge => {
      const [algorithm, capacity, periodMs, cost] = rest.slice(Number(count) + index * 5)
      return {
        key: String(rest[index]),
        algorithm: algorithm as 'gcra',
        capacity: Number(capacity),
        periodMs: Number(periodMs),
        cost: Number(cost),
      }
    })
    const { standings } = memory.charge(charges, { now, waitUntil() {} }) as Verdict
    return {
      result: standings.flatMap(({ remaining, resetMs, retryMs, taken }) => [
        remaining,
        resetMs,
        retryMs,
        taken,
      ]),
    }
  }
  const document = () =>
    isBlocked
      ? JSON.stringify({
          epoch: 'e',
          windows: [],
          blocked: [{ pattern: '/api/off', since: new Date(now).toISOString(), by: 'test' }],
        })
      : null
  const riders: Rider[] = []
  const store = withBreaker({
    deadlineMs: 100,
    store: createRedisStore({
      timeoutMs: 100,
      riders,
      async send(commands) {
        requests.push(commands.map(([verb]) => String(verb)))
        if (isHolding) await new Promise<void>((resolve) => held.push(resolve))
        if (!isWell) throw new Error('reset')
        return commands.map((command) => (command[0] === 'GET' ? { result: document() } : charged(command)))
      },
    }),
  })
  const board = createSwitchboard({ store, remote: true, clock: () => now })
  riders.push(board)
  const limiter = createLimiter({
    policies: [api],
    store,
    clock: () => now,
    addressOf: () => undefined,
    principalOf: () => undefined,
  })
  const gate = consult({ board, limiter, store })
  return {
    board,
    requests,
    visit: async (path: string) => {
      const visit = { path, method: 'GET', now, afterwards: [], waitUntil() {} } as unknown as Visit
      const outcome = gate(visit)
      await outcome
      await limiter.ask(visit)
      return outcome
    },
    pass(milliseconds: number) {
      now += milliseconds
    },
    fail() {
      isWell = false
    },
    block() {
      isBlocked = true
    },
    hold() {
      isHolding = true
      return () => {
        isHolding = false
        for (const release of held.splice(0)) release()
      }
    },
  }
}

describe('requests to Redis, with the limits and the switches together', () => {
  test('one for a visit, the very first included', async () => {
    const house = setUp()
    await house.visit('/api/a')
    expect(house.requests).toEqual([['EVAL', 'GET']])
    await house.visit('/api/b')
    expect(house.requests.slice(1)).toEqual([['EVALSHA']])
  })

  test('the switches are read at most once in five seconds, and go along', async () => {
    const house = setUp()
    for (let i = 0; i < 100; i++) {
      await house.visit(`/api/${i}`)
      house.pass(100)
    }
    expect(house.requests).toHaveLength(100)
    expect(house.requests.filter((verbs) => verbs.includes('GET'))).toHaveLength(2)
  })

  test('a visit that nothing counts asks for the switches alone, when it is time', async () => {
    const house = setUp()
    for (let i = 0; i < 5; i++) await house.visit('/free')
    expect(house.requests).toEqual([['GET']])
  })

  test('so does one that is known to be denied', async () => {
    const house = setUp()
    for (let i = 0; i < 10; i++) await house.visit('/api/a')
    expect(house.requests).toEqual([['EVAL', 'GET'], ['EVALSHA'], ['EVALSHA']])
    house.pass(5000)
    for (let i = 0; i < 10; i++) await house.visit('/api/a')
    expect(house.requests.slice(3)).toEqual([['GET']])
  })

  test('nobody waits while they are known', async () => {
    const house = setUp()
    await house.visit('/free')
    expect(await house.visit('/free')).toBeUndefined()
    expect(house.board.isStale(1_800_000_000_000)).toBe(false)
  })

  test('what was switched meanwhile holds for all who came in afterwards, also those who did not ask', async () => {
    const house = setUp()
    await house.visit('/free')
    house.block()
    house.pass(4999)
    await house.visit('/free')
    expect(house.board.isBlocked('/api/off')).toBe(false)
    house.pass(1)
    const release = house.hold()
    const first = house.visit('/api/a')
    await Promise.resolve()
    const others = [house.visit('/free'), house.visit('/api/b')]
    const seen = others.map((other) => other.then(() => house.board.isBlocked('/api/off')))
    setTimeout(release, 20)
    await first
    expect(await Promise.all(seen)).toEqual([true, true])
    expect(house.requests.filter((verbs) => verbs.includes('GET'))).toHaveLength(2)
  })

  test('when the one who asked has died with its request, the next one asks in its place', async () => {
    const house = setUp()
    await house.visit('/free')
    house.pass(5000)
    house.hold()
    void house.visit('/free')
    await turn()
    house.pass(250)
    const next = house.visit('/free')
    await turn()
    expect(house.requests.filter((verbs) => verbs.includes('GET'))).toHaveLength(3)
    house.hold()()
    await next
    expect(house.board.isStale(1_800_000_005_250)).toBe(false)
  })

  test('what fails is not asked for twice by one visit', async () => {
    const house = setUp()
    house.fail()
    await house.visit('/api/a')
    expect(house.requests).toHaveLength(1)
    house.pass(1)
    await house.visit('/free')
    expect(house.requests).toHaveLength(2)
    house.pass(1)
    await house.visit('/free')
    house.pass(1)
    // Away by now: nobody asks, and what is known stands.
    await house.visit('/api/a')
    await house.visit('/free')
    expect(house.requests).toHaveLength(3)
    expect(house.board.known).toBe(false)
  })
})
