import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { type AppOptions, createApp } from '../../src/parapet.ts'

const boot = (env: Record<string, string>, options: AppOptions = {}) => {
  const lines: Record<string, unknown>[] = []
  const app = createApp({ routes: new Hono().get('/ok', (c) => c.text('ok')), open: ['/*'], ...options })
  app.boot({ LOG_FORMAT: 'json', ...env }, { runtime: 'node', write: (line) => lines.push(JSON.parse(line)) })
  return {
    lines,
    get: (path = '/ok') =>
      app.fetch(new Request(`http://localhost${path}`, { headers: { host: 'localhost' } }), {
        peer: '192.0.2.1',
        waitUntil: () => {},
      }),
  }
}
const said = (lines: Record<string, unknown>[], pattern: RegExp) =>
  lines.filter(({ msg }) => pattern.test(String(msg)))

describe('the variables', () => {
  test('set the limit of the API', async () => {
    const { get } = boot({
      NODE_ENV: 'production',
      RATE_LIMIT_MAX_REQUESTS: '3',
      RATE_LIMIT_WINDOW_MS: '90000',
    })
    const first = await get()
    expect(first.headers.get('RateLimit-Policy')).toBe('"api";q=3;w=90')
    await get()
    expect((await get()).headers.get('X-RateLimit-Remaining')).toBe('0')
    expect((await get()).status).toBe(429)
  })

  test.each(['production', 'staging', 'prodution'])(
    'SKIP_RATE_LIMIT is ignored in %s, and said so once',
    async (NODE_ENV) => {
      const { get, lines } = boot({ NODE_ENV, SKIP_RATE_LIMIT: 'true', RATE_LIMIT_MAX_REQUESTS: '1' })
      await get()
      expect((await get()).status).toBe(429)
      expect(said(lines, /SKIP_RATE_LIMIT is ignored/)).toHaveLength(1)
      expect(said(lines, /rate limiting is enforced/)).toMatchObject([
        { limits: ['login 5/15m by ip', 'api 1/60s by user'] },
      ])
    },
  )

  test.each(['development', 'test'])(
    'SKIP_RATE_LIMIT is obeyed in %s, and said so once',
    async (NODE_ENV) => {
      const { get, lines } = boot({ NODE_ENV, SKIP_RATE_LIMIT: '1', RATE_LIMIT_MAX_REQUESTS: '1' })
      for (let i = 0; i < 5; i++) {
        const answer = await get()
        expect([answer.status, answer.headers.get('RateLimit-Policy')]).toEqual([200, null])
      }
      expect(said(lines, /rate limiting/)).toMatchObject([
        { level: 'warn', msg: 'rate limiting is off: SKIP_RATE_LIMIT is set' },
      ])
    },
  )
})

test('one caller refused over and over is one line in the security log', async () => {
  const { get, lines } = boot({ NODE_ENV: 'production', RATE_LIMIT_MAX_REQUESTS: '1' })
  for (let i = 0; i < 10; i++) await get()
  expect(said(lines, /^rate limited$/)).toMatchObject([
    { category: 'security', policies: ['api'], method: 'GET', path: '/ok' },
  ])
})

test('a policy that cannot be, and a number of instances that is none, are refused where they are written', () => {
  expect(() => createApp({ limits: [{ name: 'x', match: '/*', by: 'ip', limit: 0, per: '1s' }] })).toThrow(
    /Rate limit "x": limit must be/,
  )
  for (const instances of [0, -1, 1.5, Number.NaN]) {
    expect(() => createApp({ instances })).toThrow(/instances must be a whole number/)
  }
})
