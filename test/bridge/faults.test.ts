import { Redis } from '@upstash/redis'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Listener, listen } from '../../bridge/listen.ts'
import { createUpstashHandler } from '../../bridge/redis/upstash.ts'
import { routes } from '../../bridge/routes.ts'
import { createEmbeddedRedisEngine } from '../../dev/embedded-redis-engine.ts'
import { type FaultControl, withFaults } from '../../dev/faults.ts'

// Node's words and Bun's for a connection that was cut.
const CUT = /fetch failed|ECONNRESET/
const engine = createEmbeddedRedisEngine()
let listener: Listener
let control: FaultControl
let once: Redis
let stubborn: Redis

beforeAll(async () => {
  const sql = async () => Response.json({ rows: [] })
  const faulty = withFaults(
    routes([
      ['/sql', sql],
      ['/', createUpstashHandler({ engine, token: 't' })],
    ]),
  )
  control = faulty.control
  listener = await listen({ routes: [['/', faulty.handler]] })
  const settings = { url: listener.url, token: 't', enableTelemetry: false }
  // One attempt takes `retries: 0`: with `retry: false` the client still tries a second time.
  once = new Redis({ ...settings, retry: { retries: 0 } })
  stubborn = new Redis({ ...settings, retry: { retries: 1, backoff: () => 1 } })
})
afterAll(async () => {
  await listener.close()
  await engine.close()
})
beforeEach(() => control.clear())

const counts = () => control.read().counts.redis

describe('each mode, as the client sees it', () => {
  it('delay', async () => {
    control.inject({ mode: 'delay', ms: 200, times: 1 })
    const start = performance.now()
    expect(await once.ping()).toBe('PONG')
    expect(performance.now() - start).toBeGreaterThanOrEqual(190)
    expect(counts()).toEqual({ requests: 1, executed: 1 })
  })

  it('hang, until the caller gives up', async () => {
    control.inject({ mode: 'hang', times: 1 })
    const impatient = new Redis({
      url: listener.url,
      token: 't',
      retry: { retries: 0 },
      signal: () => AbortSignal.timeout(100),
    })
    await expect(impatient.ping()).rejects.toThrow(/timeout|timed out/)
    expect(counts()).toEqual({ requests: 1, executed: 0 })
    expect(await once.ping()).toBe('PONG')
  })

  it('drop-before: not executed', async () => {
    await once.set('n', 0)
    control.clear()
    control.inject({ mode: 'drop-before', times: 1 })
    await expect(once.incr('n')).rejects.toThrow(CUT)
    expect(counts()).toEqual({ requests: 1, executed: 0 })
    expect(await once.get('n')).toBe(0)
  })

  it('drop-after: executed exactly once per request', async () => {
    await once.set('n', 0)
    control.clear()
    control.inject({ mode: 'drop-after', times: 1 })
    await expect(once.incr('n')).rejects.toThrow(CUT)
    expect(counts()).toEqual({ requests: 1, executed: 1 })
    expect(await once.get('n')).toBe(1)
  })

  it('drop-after with a client that retries: counted twice, and that is the client', async () => {
    await once.set('n', 0)
    control.clear()
    control.inject({ mode: 'drop-after', times: 1 })
    expect(await stubborn.incr('n')).toBe(2)
    expect(counts()).toEqual({ requests: 2, executed: 2 })
  })

  it.each([
    [{ mode: 'status' }, /injected fault/],
    [{ mode: 'status', status: 500 }, /injected fault/],
    [{ mode: 'html' }, /Unable to parse|JSON|<html>/],
    [{ mode: 'html', status: 502 }, /Unable to parse|JSON|<html>/],
    [{ mode: 'half-json' }, /Unable to parse|JSON/],
    [{ mode: 'wrong-json' }, /./],
    [{ mode: 'rate-limited' }, /max daily request limit/],
  ] as const)('%j', async (fault, message) => {
    control.inject({ ...fault, times: 1 })
    await expect(once.pipeline().ping().exec()).rejects.toThrow(message)
    expect(counts()).toEqual({ requests: 1, executed: fault.mode === 'half-json' ? 1 : 0 })
    expect(await once.ping()).toBe('PONG')
  })
})

describe('control', () => {
  const faults = (method: string, body?: unknown) =>
    fetch(`${listener.url}/__faults`, { method, ...(body !== undefined && { body: JSON.stringify(body) }) })

  it('hits one service, a number of times, and counts both', async () => {
    await faults('PUT', { service: 'sql', mode: 'status', times: 2 })
    await faults('PUT', { service: 'redis', mode: 'status', status: 500, times: 1 })
    const status = async (path: string) =>
      (
        await fetch(listener.url + path, {
          method: 'POST',
          headers: { authorization: 'Bearer t' },
          body: '["PING"]',
        })
      ).status
    expect(await status('/sql')).toBe(503)
    expect(await status('/')).toBe(500)
    expect(await status('/')).toBe(200)
    expect(await (await faults('GET')).json()).toEqual({
      faults: [{ service: 'sql', mode: 'status', times: 1 }],
      counts: { sql: { requests: 1, executed: 0 }, redis: { requests: 2, executed: 1 } },
    })
    await faults('DELETE')
    expect(await status('/sql')).toBe(200)
  })

  it('lasts until cleared without a number', async () => {
    control.inject({ mode: 'rate-limited' })
    for (let at = 0; at < 5; at++) await expect(once.ping()).rejects.toThrow()
    control.clear()
    expect(await once.ping()).toBe('PONG')
  })

  it('obeys a header, for that request only', async () => {
    const send = (fault: string) =>
      fetch(listener.url, {
        method: 'POST',
        headers: { authorization: 'Bearer t', 'x-parapet-fault': fault },
        body: '["PING"]',
      })
    expect((await send('status:502')).status).toBe(502)
    expect((await send('html:502')).headers.get('content-type')).toBe('text/html')
    expect(await (await send('delay:10')).json()).toEqual({ result: 'PONG' })
    await expect(send('drop-after')).rejects.toThrow(CUT)
    for (const bad of ['nonsense', 'delay:x', 'status:99', '']) {
      const response = await send(bad)
      expect([response.status, await response.json()]).toEqual([400, { error: expect.any(String) }])
    }
    expect(await once.ping()).toBe('PONG')
  })

  it.each([
    [{ mode: 'explode' }, /unknown mode "explode": one of delay, hang/],
    [{}, /unknown mode undefined/],
    [{ mode: 'hang', service: 'mail' }, /service must be sql or redis/],
    [{ mode: 'hang', times: 0 }, /times must be a whole number/],
    [{ mode: 'delay', ms: -1 }, /ms must be/],
    [{ mode: 'hang', tmes: 3 }, /unknown member "tmes"/],
    [[], /unknown mode/],
    ['hang', /JSON object/],
    [undefined, /JSON object/],
  ])('refuses %j', async (fault, message) => {
    const response = await faults('PUT', fault)
    expect(response.status).toBe(400)
    expect(await response.json()).toEqual({ error: expect.stringMatching(message) })
    expect(control.read().faults).toEqual([])
  })

  it('refuses other methods', async () => {
    expect((await faults('POST', {})).status).toBe(405)
  })
})
