import { createHash } from 'node:crypto'
import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { type AppOptions, type Check, createApp } from '../../src/parapet.ts'

const TOKEN = 'op_9fK2mQ7xW4vB8nT1sL6yR3uJ5hG0pD'

const boot = (options: AppOptions = {}) => {
  const lines: string[] = []
  const app = createApp({ routes: new Hono(), ...options })
  app.boot(
    { NODE_ENV: 'production', INTERNAL_API_KEY: TOKEN },
    { runtime: 'node', write: (line) => lines.push(line) },
  )
  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    app.fetch(new Request(`http://localhost${path}`, { method, headers }), { waitUntil: () => {} })
  return { app, ask, lines }
}
const OPERATOR = { authorization: `Bearer ${TOKEN}` }

const well: Check = { name: 'search', criticality: 'degrading', run: async () => {} }
const broken: Check = {
  ...well,
  certain: true,
  run: () => Promise.reject(new Error('https://user:secret@search.internal answered 500')),
}

describe('a check of a team', () => {
  test('is three lines, and stands among the others', async () => {
    const { ask } = boot({
      checks: [{ name: 'search', criticality: 'degrading', run: async () => 'fine' }],
    })
    const answer = await ask('/readyz')
    expect(answer.status).toBe(200)
    expect((await answer.json()).checks).toContainEqual({ name: 'search', status: 'ok', critical: false })
  })

  test('that fails degrades or ends readiness, as it says, and tells nobody what was thrown', async () => {
    for (const [criticality, status, word] of [
      ['critical', 503, 'unavailable'],
      ['degrading', 200, 'degraded'],
      ['info', 200, 'ok'],
    ] as const) {
      const { ask, lines } = boot({ checks: [{ ...broken, criticality }] })
      for (const headers of [{}, OPERATOR] as Record<string, string>[]) {
        for (const accept of ['application/json', 'application/health+json', 'text/plain']) {
          const answer = await ask('/readyz?verbose', { accept, ...headers })
          expect(answer.status).toBe(status)
          expect(await answer.text()).not.toMatch(/secret|internal|500/)
        }
      }
      expect((await (await ask('/readyz')).json()).status).toBe(word)
      expect(lines.join()).not.toMatch(/secret|search\.internal/)
    }
  })

  test('needs a name, and one of its own', () => {
    expect(() => boot({ checks: [{ ...well, name: 'a "b"' }] })).toThrow(/name of a check/)
    expect(() => boot({ checks: [well, well] })).toThrow(/two checks named search/)
    expect(() => boot({ checks: [{ ...well, name: 'config' }] })).toThrow(/two checks named config/)
  })
})

describe('forms of readiness', () => {
  test('the health document of draft-inadarei, when it is asked for', async () => {
    const { ask } = boot({ checks: [broken] })
    const answer = await ask('/readyz', { accept: 'application/health+json, application/json;q=0.5' })
    expect(answer.headers.get('content-type')).toBe('application/health+json')
    expect(answer.headers.get('vary')).toContain('Accept')
    expect(await answer.json()).toMatchObject({
      status: 'warn',
      output: 'degraded',
      checks: { config: [{ status: 'pass' }], search: [{ status: 'fail' }] },
    })
    const detailed = await (await ask('/readyz', { accept: 'application/health+json', ...OPERATOR })).json()
    expect(detailed.checks['config:responseTime']).toMatchObject([
      { status: 'pass', observedUnit: 'ms', observedValue: expect.any(Number) },
    ])
  })

  test('one word for people, and a line for each check for operators who ask', async () => {
    const { ask } = boot({ checks: [broken] })
    const text = async (path: string, headers = {}) =>
      (await ask(path, { accept: 'text/plain', ...headers })).text()
    expect(await text('/readyz')).toBe('degraded\n')
    expect(await text('/readyz?verbose')).toBe('degraded\n')
    expect(await text('/readyz', OPERATOR)).toBe('degraded\n')
    expect(await text('/readyz?verbose', OPERATOR)).toMatch(
      /^\[\+\] config ok, \d+ ms\n.*\[-\] search degraded, \d+ ms, refused\ndegraded\n$/s,
    )
  })

  test('HEAD has the headers of GET', async () => {
    const { ask } = boot()
    for (const path of ['/livez', '/readyz', '/startupz']) {
      const [get, head] = [await ask(path), await ask(path, {}, 'HEAD')]
      const named = (answer: Response) =>
        [...answer.headers].filter(([name]) => name !== 'x-correlation-id').map(String)
      expect([head.status, named(head)]).toEqual([get.status, named(get)])
    }
  })

  test('a load balancer is told that an instance is degraded', async () => {
    expect((await boot({ checks: [broken] }).ask('/readyz')).headers.get('x-envoy-degraded')).toBe('true')
    expect((await boot().ask('/readyz')).headers.get('x-envoy-degraded')).toBeNull()
  })

  test('a body stays below 4 KiB, and what is wrong is never what is left out', async () => {
    const many = Array.from(
      { length: 200 },
      (_, i): Check => ({ ...well, name: `a-check-with-a-long-name-${i}` }),
    )
    const { ask } = boot({ checks: [...many, broken] })
    for (const headers of [{}, OPERATOR] as Record<string, string>[]) {
      for (const accept of ['application/json', 'application/health+json']) {
        const text = await (await ask('/readyz', { accept, ...headers })).text()
        expect(text.length).toBeLessThan(4096)
        expect(text).toContain('"search')
      }
    }
    const body = await (await ask('/readyz')).json()
    expect(body.omitted + body.checks.length).toBe(204)
  })
})

describe('the surface is a table', () => {
  const surface: AppOptions['surface'] = [
    { path: '/health', resource: 'liveness', details: 'public', words: { ok: 'healthy' }, timestamp: false },
    {
      path: '/status/ready',
      resource: 'readiness',
      details: 'public',
      words: { ok: 'pass', degraded: 'warn', unavailable: 'down' },
      timestamp: false,
    },
  ]

  test('of paths, words and who sees what', async () => {
    const { ask } = boot({ surface, checks: [broken] })
    expect(await (await ask('/health')).json()).toEqual({ status: 'healthy' })
    const body = await (await ask('/status/ready')).json()
    expect(body).toMatchObject({ ready: true, status: 'warn' })
    expect(body.checks).toContainEqual(
      expect.objectContaining({ name: 'search', status: 'warn', code: 'refused' }),
    )
    expect((await ask('/readyz')).status).toBe(404)
  })

  test('a thousand answers to one state are the same bytes, with the time left out', async () => {
    const table = surface.map((row) => ({ ...row, details: 'operator' as const }))
    const { ask, lines } = boot({ surface: table })
    const before = lines.length
    const hashes = new Set<string>()
    for (let i = 0; i < 1000; i++) {
      hashes.add(
        createHash('sha256')
          .update(await (await ask('/status/ready')).text())
          .digest('hex'),
      )
    }
    expect(hashes.size).toBe(1)
    expect(lines).toHaveLength(before)
  })
})

test('ten thousand probes leave no line', async () => {
  const { ask, lines } = boot()
  const before = lines.length
  for (let i = 0; i < 10_000; i++) await ask(i % 2 ? '/readyz' : '/livez')
  expect(lines).toHaveLength(before)
})
