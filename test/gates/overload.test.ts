import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import type { Host } from '../../src/app.ts'
import { type OverloadOptions, overload } from '../../src/gates/overload.ts'
import { createApp, type Gate, type Visit, wear } from '../../src/parapet.ts'

/** One visit: what the gate said, and how to end it. */
const visit = (gate: Gate, now = 0) => {
  const afterwards: ((status: number) => void)[] = []
  const outcome = gate({ now, afterwards } as unknown as Visit)
  return { outcome, end: () => afterwards.forEach((tell) => void tell(200)) }
}
const isRefused = (gate: Gate, now?: number) => visit(gate, now).outcome !== undefined

describe('requests in flight', () => {
  test('so many and no more, until one ends', () => {
    const gate = overload({ inFlight: 2 })
    const [first, second] = [visit(gate), visit(gate)]
    expect([first.outcome, second.outcome]).toEqual([undefined, undefined])
    expect(visit(gate).outcome).toMatchObject({ code: 'OVERLOADED' })
    first.end()
    expect(isRefused(gate)).toBe(false)
    expect(isRefused(gate)).toBe(true)
  })

  test('one that is refused does not count, however many are', () => {
    const gate = overload({ inFlight: 1 })
    const only = visit(gate)
    for (let at = 0; at < 1000; at++) visit(gate).end()
    only.end()
    expect(isRefused(gate)).toBe(false)
  })

  test('one that ends twice makes room once', () => {
    const gate = overload({ inFlight: 1 })
    const first = visit(gate)
    first.end()
    const second = visit(gate)
    first.end()
    expect(second.outcome).toBeUndefined()
    expect(isRefused(gate)).toBe(true)
  })

  test('one of which nothing is heard any more is forgotten', () => {
    const gate = overload({ inFlight: 2, forgetAfterMs: 1000 })
    const [lost, running] = [visit(gate, 0), visit(gate, 500)]
    expect([lost.outcome, running.outcome]).toEqual([undefined, undefined])
    expect(isRefused(gate, 1000)).toBe(true)
    expect(isRefused(gate, 1001)).toBe(false)
    expect(isRefused(gate, 1001)).toBe(true)
  })
})

test('a late event loop refuses, and one that has caught up does not', () => {
  let delay = 0
  const gate = overload({ eventLoopDelayMs: 100, measure: () => delay })
  expect(isRefused(gate)).toBe(false)
  delay = 100
  expect(isRefused(gate)).toBe(false)
  delay = 100.1
  expect(isRefused(gate)).toBe(true)
  delay = 20
  expect(isRefused(gate)).toBe(false)
})

test('those who are refused together are asked to come back at different times', () => {
  const gate = overload({ inFlight: 1 })
  visit(gate)
  const times = Array.from(
    { length: 200 },
    () => (visit(gate).outcome as { headers: Record<string, string> }).headers['Retry-After'],
  )
  expect([...new Set(times)].sort()).toEqual(['1', '2', '3'])
})

test.each<[options: OverloadOptions, says: RegExp]>([
  [{}, /set inFlight, such as 200/],
  [{ inFlight: 0 }, /inFlight must be a positive integer, such as 200/],
  [{ inFlight: -1 }, /inFlight/],
  [{ inFlight: 1.5 }, /inFlight/],
  [{ inFlight: Number.NaN }, /inFlight/],
  [{ inFlight: Number.POSITIVE_INFINITY }, /inFlight/],
  [{ inFlight: '5' as never }, /inFlight/],
  [{ inFlight: null as never }, /inFlight/],
  [{ eventLoopDelayMs: 0, measure: () => 0 }, /eventLoopDelayMs must be a positive integer, such as 500/],
  [{ eventLoopDelayMs: 500 }, /needs measure/],
  [{ inFlight: 1, forgetAfterMs: 0 }, /forgetAfterMs/],
])('%j is refused at start', (options, says) => {
  expect(() => overload(options)).toThrow(TypeError)
  expect(() => overload(options)).toThrow(says)
})

describe('in an app', () => {
  const routes = () =>
    new Hono()
      .get('/ok', (c) => c.text('ok'))
      .get('/throws', () => {
        throw new Error('x')
      })
      .get('/never', () => new Promise<never>(() => {}))
  const start = (limits: OverloadOptions, host: Partial<Host> = {}) => {
    const lines: string[] = []
    const app = createApp({ routes: routes(), open: ['/*'], overload: limits })
    const env = { NODE_ENV: 'production', REQUEST_TIMEOUT_MS: '40', SESSION_SECRET: '' }
    app.boot(env, { runtime: 'node', write: (line) => lines.push(line), ...host })
    const get = async (path: string, init?: RequestInit) =>
      (await app.fetch(new Request(`http://localhost${path}`, init), { waitUntil: () => {} })).status
    return {
      get,
      warnings: () => lines.map((line) => JSON.parse(line).msg).filter((msg) => /overload/.test(msg)),
    }
  }

  test('a limit that is wrong is refused before anything starts', () => {
    expect(() => createApp({ overload: { inFlight: 0 } })).toThrow(/inFlight must be a positive integer/)
    expect(() => createApp({ overload: {} })).toThrow(TypeError)
  })

  test('whatever becomes of a request, its count is given back', async () => {
    const { get } = start({ inFlight: 1 })
    const leaving = new AbortController()
    const statuses = [
      await get('/throws'),
      await get('/never'),
      await get('/nothing'),
      await get('/api/seed'),
    ]
    expect(statuses).toEqual([500, 503, 404, 403])
    const left = get('/never', { signal: leaving.signal })
    leaving.abort()
    expect(await get('/ok')).toBe(503)
    await left
    expect(await get('/ok')).toBe(200)
  })

  test('probes are answered all the same', async () => {
    const { get } = start({ eventLoopDelayMs: 10 }, { eventLoopDelayMs: () => 1000 })
    expect([await get('/livez'), await get('/readyz'), await get('/ok')]).toEqual([200, 200, 503])
  })

  test('on Workers the event loop is not looked at, which is said once', async () => {
    const { get, warnings } = start({ inFlight: 5, eventLoopDelayMs: 10 }, { runtime: 'workers' })
    expect(warnings()).toEqual(['overload.eventLoopDelayMs is not used on workers: only inFlight is'])
    expect(await get('/ok')).toBe(200)
    const alone = start({ eventLoopDelayMs: 10 }, { runtime: 'workers' })
    expect(await alone.get('/ok')).toBe(200)
  })

  test('where it can be measured, nothing is said', () => {
    expect(start({ eventLoopDelayMs: 10 }, { eventLoopDelayMs: () => 0 }).warnings()).toEqual([])
  })
})

test('it can be worn alone, and a handler that throws makes room again', async () => {
  const app = new Hono()
    .onError((_, c) => c.body(null, 500))
    .use(wear(overload({ inFlight: 1 })))
    .get('/', (c) => c.text('ok'))
    .get('/throws', () => {
      throw new Error('x')
    })
    .get('/throws-nothing', () => {
      throw null
    })
  expect((await app.request('/throws')).status).toBe(500)
  await Promise.resolve(app.request('/throws-nothing')).catch(() => {})
  const [first, second] = await Promise.all([app.request('/'), app.request('/')])
  expect([first.status, second.status]).toEqual([200, 503])
  expect(await second.json()).toMatchObject({ code: 'OVERLOADED' })
  expect((await app.request('/')).status).toBe(200)
})
