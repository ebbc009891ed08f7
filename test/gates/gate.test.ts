import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { blockedEndpoints } from '../../src/gates/blocked-endpoints.ts'
import { askGates, type Gate, type Visit } from '../../src/gates/gate.ts'
import { pathMatcher } from '../../src/gates/path-pattern.ts'
import { continueTrace } from '../../src/gates/trace-context.ts'
import { createApp, wear } from '../../src/parapet.ts'

/** A gate is tested with an object literal and no server. */
const at = (path: string) => ({ path }) as Visit

describe('asking the gates', () => {
  test('they are asked in their order, and the first answer ends it', async () => {
    const asked: string[] = []
    const gate =
      (name: string, outcome?: Awaited<ReturnType<Gate>>): Gate =>
      () => {
        asked.push(name)
        return outcome
      }
    const late: Gate = async () => void asked.push('late')
    expect(await askGates([gate('a'), late, gate('b', { code: 'FORBIDDEN' }), gate('c')], at('/'))).toEqual({
      code: 'FORBIDDEN',
    })
    expect(asked).toEqual(['a', 'late', 'b'])
  })

  test('nothing is waited for where no gate is a promise', () => {
    expect(askGates([() => undefined, () => ({ code: 'CONFLICT' })], at('/'))).toEqual({ code: 'CONFLICT' })
  })

  test("a team's own gate is one function and one line", async () => {
    const noCoffee: Gate = ({ path }) =>
      path === '/coffee' ? { code: 'FORBIDDEN', detail: 'Tea only.' } : undefined
    const routes = new Hono().get('/coffee', (c) => c.text('coffee')).get('/tea', (c) => c.text('tea'))
    const app = createApp({ routes, open: ['/*'], gates: [noCoffee] })
    app.boot({ NODE_ENV: 'test' }, { runtime: 'node', write: () => {} })
    const get = (path: string) => app.fetch(new Request(`http://localhost${path}`), { waitUntil: () => {} })
    expect((await get('/coffee')).status).toBe(403)
    expect(await (await get('/tea')).text()).toBe('tea')
  })

  test('a single gate can be worn in any Hono app', async () => {
    const app = new Hono().use(wear(blockedEndpoints())).get('/api/*', (c) => c.text('reached'))
    const blocked = await app.request('/api/SEED/')
    expect(blocked.status).toBe(403)
    expect(await blocked.json()).toMatchObject({ code: 'ENDPOINT_BLOCKED' })
    expect(await (await app.request('/api/seedlings')).text()).toBe('reached')
  })
})

describe('path patterns', () => {
  test('match exactly, or everything below', () => {
    const match = pathMatcher(['/exact', '/below/*'])
    expect(['/exact', '/below/x', '/below/x/y'].every(match)).toBe(true)
    expect(['/exact/', '/below', '/belowx', '/other'].some(match)).toBe(false)
  })

  test.each(['no-slash', '/a*', '/*/b', '/a/*b'])('%s is refused at start', (pattern) => {
    expect(() => pathMatcher([pattern])).toThrow(TypeError)
  })
})

test.each([
  ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', '4bf92f3577b34da6a3ce929d0e0e4736', '01'],
  ['01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00-later', '4bf92f3577b34da6a3ce929d0e0e4736', '00'],
  ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra', undefined, '00'],
  ['ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', undefined, '00'],
  ['00-00000000000000000000000000000000-00f067aa0ba902b7-01', undefined, '00'],
  ['00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01', undefined, '00'],
  ['00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01', undefined, '00'],
  ['nonsense', undefined, '00'],
  [undefined, undefined, '00'],
])('traceparent %s', (header, traceId, flags) => {
  const trace = continueTrace(header)
  if (traceId) expect(trace.traceId).toBe(traceId)
  else expect(header ?? '').not.toContain(trace.traceId)
  expect(trace.traceId).toMatch(/^[0-9a-f]{32}$/)
  expect(trace.spanId).toMatch(/^[0-9a-f]{16}$/)
  expect(trace.flags).toBe(flags)
})
