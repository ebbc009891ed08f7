import { describe, expect, test } from 'vitest'
import type { Visit } from '../../src/gates/gate.ts'
import type { Principal } from '../../src/identity/principal.ts'
import { createLimiter, type Decision, type LimiterOptions } from '../../src/limits/limiter.ts'
import type { Policy } from '../../src/limits/policy.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import type { Store } from '../../src/store/store.ts'

interface Call {
  path?: string
  method?: string
  address?: string | undefined
  principal?: Principal
}

/** A limiter at a clock of its own, and a store that counts who asks and can be away. */
const setUp = (policies: Policy[], options: Partial<LimiterOptions> = {}) => {
  const memory = createMemoryStore()
  let now = 1_800_000_000_000
  let asked = 0
  let isAway = false
  const store: Store = {
    ...memory,
    charge(charges, context) {
      asked += 1
      return isAway ? undefined : memory.charge(charges, context)
    },
  }
  const outcomes: string[] = []
  const callers = new WeakMap<Visit, Call>()
  const limiter = createLimiter({
    policies,
    store,
    clock: () => now,
    addressOf: (visit) => callers.get(visit)?.address,
    principalOf: (visit) => callers.get(visit)?.principal,
    onDecision: (policy, outcome) => outcomes.push(`${policy} ${outcome}`),
    ...options,
  })
  const visitOf = (call: Call = {}): Visit => {
    const { path = '/', method = 'GET' } = call
    const visit = { path, method, now, afterwards: [], waitUntil() {} } as unknown as Visit
    callers.set(visit, { address: '192.0.2.1', ...call })
    return visit
  }
  return {
    limiter,
    visitOf,
    ask: (call?: Call) => limiter.ask(visitOf(call)) as Decision | undefined,
    /** How many of so many the limiter lets pass. */
    admitted(times: number, call?: Call) {
      return Array.from({ length: times }, () => this.ask(call)).filter((one) => one?.outcome === 'allowed')
        .length
    },
    answer(visit: Visit, status: number) {
      for (const tell of visit.afterwards) tell(status)
    },
    pass(milliseconds: number) {
      now += milliseconds
    },
    away(is: boolean) {
      isAway = is
    },
    asked: () => asked,
    outcomes,
  }
}

const five: Policy = { name: 'five', match: '/*', by: 'ip', limit: 5, per: '60s' }

describe('whom a policy counts', () => {
  test('each address by itself', () => {
    const house = setUp([five])
    expect(house.admitted(7)).toBe(5)
    expect(house.admitted(7, { address: '192.0.2.2' })).toBe(5)
  })

  test('all addresses of an IPv6 /64 as one, and those of a /48 with sixteen times the limit', () => {
    const house = setUp([five])
    expect(house.admitted(4, { address: '2001:db8:1:1::1' })).toBe(4)
    expect(house.admitted(4, { address: '2001:db8:1:1:ffff::2' })).toBe(1)
    let all = 5
    for (let net = 2; net < 40; net++) all += house.admitted(5, { address: `2001:db8:1:${net}::1` })
    expect(all).toBe(80)
    expect(house.admitted(5, { address: '2001:db8:2:1::1' })).toBe(5)
  })

  test('all who have no address as one, by an exact log', () => {
    const house = setUp([five])
    expect(house.admitted(7, { address: undefined })).toBe(5)
    // A limit by GCRA would have let two back by now.
    house.pass(30_000)
    expect(house.admitted(7, { address: undefined })).toBe(0)
    house.pass(30_000)
    expect(house.admitted(7, { address: undefined })).toBe(5)
  })

  test('a user wherever they are, and the address of whom is nobody', () => {
    const house = setUp([{ ...five, by: 'user' }])
    const principal: Principal = { kind: 'user', id: '7', tenant: 'a' }
    expect(house.admitted(3, { principal })).toBe(3)
    expect(house.admitted(3, { principal, address: '192.0.2.9' })).toBe(2)
    expect(house.admitted(7)).toBe(5)
    // Two kinds of principals with one id are two.
    expect(house.admitted(7, { principal: { kind: 'apiKey', id: '7' } })).toBe(5)
  })

  test('an API key and a tenant, where there is one', () => {
    for (const [by, other] of [
      ['apiKey', { kind: 'apiKey', id: 'k2', tenant: 't2' }],
      ['tenant', { kind: 'apiKey', id: 'k1', tenant: 't2' }],
    ] as const) {
      const house = setUp([{ ...five, by }])
      expect(house.admitted(7, { principal: { kind: 'apiKey', id: 'k1', tenant: 't1' } })).toBe(5)
      expect(house.admitted(7, { principal: other })).toBe(5)
      expect(house.admitted(7, { principal: { kind: 'operator', id: 'operator' } })).toBe(5)
      expect(house.admitted(7)).toBe(0)
    }
  })

  test("whoever a team's function names, and the address where it names nobody", () => {
    const house = setUp([
      { ...five, by: 'custom', key: ({ path }) => (path === '/' ? undefined : path.slice(1)) },
    ])
    expect(house.admitted(7, { path: '/a' })).toBe(5)
    expect(house.admitted(7, { path: '/b', address: '192.0.2.8' })).toBe(5)
    expect(house.admitted(7)).toBe(5)
    // What a caller chooses cannot be taken for an address.
    expect(house.admitted(7, { path: '/ip\n192.0.2.77' })).toBe(5)
    expect(house.admitted(7, { path: '/', address: '192.0.2.77' })).toBe(5)
  })
})

describe('which requests a policy counts', () => {
  test('those that it names, by path and method, in every spelling', () => {
    const house = setUp([{ ...five, match: ['POST /api/auth/login', '/api/reports/*'] }])
    const isCounted = (method: string, path: string) => house.ask({ method, path }) !== undefined
    for (const path of [
      '/api/auth/login',
      '/API/Auth/login/',
      '/api/auth/login;x=1',
      '/api/auth/login.json',
    ]) {
      expect(isCounted('POST', path)).toBe(true)
      expect(isCounted('GET', path)).toBe(false)
    }
    for (const method of ['GET', 'HEAD', 'DELETE'])
      expect(isCounted(method, '/api/reports/7/pages')).toBe(true)
    expect(isCounted('GET', '/api/reports')).toBe(true)
    expect(isCounted('GET', '/api/reporters')).toBe(false)
    expect(isCounted('POST', '/api/auth')).toBe(false)
  })

  test('HEAD where it names GET', () => {
    const house = setUp([{ ...five, match: 'GET /a' }])
    expect(house.ask({ path: '/a', method: 'HEAD' })).toBeDefined()
    expect(house.ask({ path: '/a', method: 'POST' })).toBeUndefined()
  })

  test('none that it skips', () => {
    const house = setUp([{ ...five, skip: ({ path }) => path === '/free' }])
    expect(house.ask({ path: '/free' })).toBeUndefined()
    expect(house.ask({ path: '/' })).toBeDefined()
    expect(house.asked()).toBe(1)
  })
})

describe('several policies', () => {
  const strict: Policy = { name: 'strict', match: '/a', by: 'ip', limit: 2, per: '1h', strict: true }

  test('are asked for in one request', () => {
    const house = setUp([five, strict, { ...five, name: 'more', limit: 50 }])
    const decision = house.ask({ path: '/a' })
    expect(house.asked()).toBe(1)
    expect(decision?.judged.map(({ policy, standing }) => [policy.name, standing?.remaining])).toEqual([
      ['five', 4],
      ['strict', 1],
      ['more', 49],
    ])
  })

  test('are all charged, or none', () => {
    const house = setUp([five, strict])
    expect(house.admitted(4, { path: '/a' })).toBe(2)
    expect(house.admitted(7, { path: '/b' })).toBe(3)
  })

  test('name those that refuse, and the longest time to wait', () => {
    const house = setUp([strict, { ...five, limit: 2 }])
    house.admitted(2, { path: '/a' })
    const decision = house.ask({ path: '/a' })
    expect(decision?.outcome).toBe('denied')
    expect(decision?.judged.map(({ violated }) => violated)).toEqual([true, true])
    expect(decision?.retryMs).toBe(3_600_000)
  })

  test('a visit is decided once, however often it is asked about', () => {
    const house = setUp([five])
    const visit = house.visitOf()
    expect(house.limiter.ask(visit)).toBe(house.limiter.ask(visit))
    expect(house.asked()).toBe(1)
  })
})

describe('a denied caller', () => {
  test('asks nobody until the very moment from which it is admitted', () => {
    const house = setUp([five])
    expect(house.admitted(6)).toBe(5)
    expect(house.asked()).toBe(6)
    house.pass(11_999)
    const denied = house.ask()
    expect(denied).toMatchObject({ outcome: 'denied', fresh: false, retryMs: 1 })
    expect(denied?.judged[0]?.standing).toMatchObject({ remaining: 0, resetMs: 48_001 })
    expect(house.admitted(1000)).toBe(0)
    expect(house.asked()).toBe(6)
    house.pass(1)
    expect(house.ask()?.outcome).toBe('allowed')
    expect(house.asked()).toBe(7)
  })

  test('of one limit leaves the others alone', () => {
    const house = setUp([five, { ...five, name: 'hundred', limit: 100 }])
    house.admitted(50)
    expect(house.asked()).toBe(6)
    house.pass(12_000)
    expect(house.ask()?.judged[1]?.standing?.remaining).toBe(99)
  })

  test('may still ask for something that costs less', () => {
    const house = setUp([{ ...five, cost: ({ path }) => Number(path.slice(1)) }])
    expect(house.ask({ path: '/3' })?.outcome).toBe('allowed')
    expect(house.ask({ path: '/3' })?.outcome).toBe('denied')
    expect(house.ask({ path: '/2' })?.outcome).toBe('allowed')
  })

  test('is not kept out by a clock that was set back', () => {
    const house = setUp([five])
    house.admitted(6)
    house.pass(-3_600_000)
    house.ask()
    expect(house.asked()).toBe(7)
  })

  test('is forgotten when too many others are denied, and asks again', () => {
    const house = setUp([{ ...five, limit: 1 }])
    const address = (i: number) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`
    for (let i = 0; i < 10_001; i++) house.admitted(2, { address: address(i) })
    const before = house.asked()
    house.ask({ address: address(10_000) })
    expect(house.asked()).toBe(before)
    house.ask({ address: address(0) })
    expect(house.asked()).toBe(before + 1)
  })
})

describe('what a request costs', () => {
  test('is what the policy says, by number or by request', () => {
    expect(setUp([{ ...five, cost: 2 }]).admitted(5)).toBe(2)
    const house = setUp([{ ...five, cost: ({ method }) => (method === 'POST' ? 4 : 1) }])
    expect(house.admitted(2, { method: 'POST' })).toBe(1)
    expect(house.admitted(2)).toBe(1)
  })

  test('is never more than could ever be paid, and what is no cost takes everything', () => {
    for (const [cost, admitted] of [
      [99, 1],
      [Number.POSITIVE_INFINITY, 1],
      [-5, 1],
      [Number.NaN, 1],
      [0, 20],
      [0.2, 5],
      [1.9, 2],
    ] as const) {
      expect(setUp([{ ...five, cost: () => cost }]).admitted(20)).toBe(admitted)
    }
  })
})

describe('a refund', () => {
  const login: Policy = { ...five, name: 'login', strict: true, refund: (status) => status < 400 }

  test('gives back what an answer of the right status took', () => {
    const house = setUp([login])
    for (let i = 0; i < 20; i++) {
      const visit = house.visitOf()
      expect((house.limiter.ask(visit) as Decision).outcome).toBe('allowed')
      house.answer(visit, 200)
    }
    for (let i = 0; i < 5; i++) {
      const visit = house.visitOf()
      house.limiter.ask(visit)
      house.answer(visit, 401)
    }
    expect(house.ask()?.outcome).toBe('denied')
  })

  test('of a visit that was denied is nothing', () => {
    const house = setUp([login])
    house.admitted(5)
    const visit = house.visitOf()
    house.limiter.ask(visit)
    house.answer(visit, 200)
    expect(house.admitted(3)).toBe(0)
  })

  test('lets a caller in who was denied meanwhile', () => {
    const house = setUp([login])
    const visit = house.visitOf()
    house.limiter.ask(visit)
    expect(house.admitted(6)).toBe(4)
    house.answer(visit, 204)
    expect(house.admitted(3)).toBe(1)
  })
})

describe('while the store is away', () => {
  const open: Policy = { ...five, name: 'open', onStoreFailure: 'open' }
  const closed: Policy = { ...five, name: 'closed', match: '/pay', onStoreFailure: 'closed' }

  test('a local policy limits here, and says nothing of the fleet', () => {
    const house = setUp([five])
    house.away(true)
    const decision = house.ask()
    expect(decision).toMatchObject({ outcome: 'allowed', judged: [{ standing: undefined, violated: false }] })
    expect(house.admitted(10)).toBe(4)
    expect(house.ask()).toMatchObject({ outcome: 'denied', retryMs: 12_000, judged: [{ violated: true }] })
    expect(new Set(house.outcomes)).toEqual(new Set(['five fallback_allowed', 'five fallback_denied']))
  })

  test('of several instances each has its part', () => {
    const house = setUp([{ ...five, limit: 100 }], { instances: 20 })
    house.away(true)
    expect(house.admitted(50)).toBe(5)
    house.pass(12_000)
    expect(house.admitted(50)).toBe(1)
  })

  test('an open one admits, a closed one refuses whatever the others say', () => {
    const house = setUp([open, closed])
    house.away(true)
    expect(house.admitted(20)).toBe(20)
    expect(house.ask({ path: '/pay' })).toMatchObject({ outcome: 'unavailable' })
    expect(house.outcomes.at(-1)).toBe('closed fallback_closed')
    expect(house.outcomes[0]).toBe('open fallback_open')
  })

  test('what was refunded is given back here', () => {
    const house = setUp([{ ...five, refund: () => true }])
    house.away(true)
    for (let i = 0; i < 20; i++) {
      const visit = house.visitOf()
      expect((house.limiter.ask(visit) as Decision).outcome).toBe('allowed')
      house.answer(visit, 200)
    }
  })

  test('nobody is remembered as denied', () => {
    const house = setUp([five])
    house.away(true)
    house.admitted(10)
    house.away(false)
    expect(house.admitted(10)).toBe(5)
  })
})
