import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { createApp } from '../../src/parapet.ts'

const host = { runtime: 'node', write: () => {} } as const
const routes = () => new Hono().get('/hello', (c) => c.text('hello'))

const statuses = async (app: ReturnType<typeof createApp>) => {
  const get = async (path: string) =>
    (await app.fetch(new Request(`http://localhost${path}`), { waitUntil: () => {} })).status
  return [await get('/health'), await get('/readyz'), await get('/hello')]
}

test('an app is starting, then ready, then draining', async () => {
  const app = createApp({ routes: routes(), open: ['/hello'] })
  expect(await statuses(app)).toEqual([200, 503, 503])
  app.boot({ NODE_ENV: 'production' }, host)
  expect(await statuses(app)).toEqual([200, 200, 200])
  app.drain()
  expect(await statuses(app)).toEqual([200, 503, 200])
})

test('one that is degraded stays closed while it drains', async () => {
  const app = createApp({ routes: routes(), reference: true, open: ['/hello'] })
  app.boot({ NODE_ENV: 'production' }, host)
  expect(await statuses(app)).toEqual([200, 503, 503])
  app.drain()
  expect(await statuses(app)).toEqual([200, 503, 503])
})

test('one that drains before it is ready never says that it is', async () => {
  const app = createApp({ routes: routes(), open: ['/hello'] })
  app.drain()
  app.boot({ NODE_ENV: 'production' }, host)
  expect(await statuses(app)).toEqual([200, 503, 200])
})

test('what is down is told to the log on schedule', async () => {
  const lines: string[] = []
  const app = createApp({ routes: routes(), reference: true })
  app.boot({ NODE_ENV: 'development', LOG_FORMAT: 'json' }, { ...host, write: (line) => lines.push(line) })
  await app.tick()
  expect(lines.map((line) => JSON.parse(line))).toContainEqual(
    expect.objectContaining({ level: 'error', category: 'system', check: 'database', code: 'refused' }),
  )
})

test('what an instance does without is said once, at boot', () => {
  const lines: string[] = []
  const app = createApp({ routes: routes() })
  const env = { NODE_ENV: 'production', REDIS_URL: 'redis://redis.example:6379' }
  app.boot(env, { runtime: 'workers', write: (line) => lines.push(line) })
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual([
    'REDIS_URL is not used on Workers: name an Upstash Redis, or a bridge',
    'rate limiting is enforced',
    'no Redis: limits, switches and metrics are those of this instance alone',
  ])
})

test.each([
  ['node', 'cloudflare', true],
  ['bun', 'cloudflare', true],
  ['workers', 'cloudflare', false],
  ['workers', undefined, false],
  ['node', undefined, false],
  ['node', '1', false],
  ['bun', '10.0.0.0/8', false],
] as const)(
  'on %s with TRUST_PROXY=%s, that addresses can be claimed is said: %s',
  (runtime, trust, said) => {
    const lines: string[] = []
    const env = { NODE_ENV: 'production', ...(trust && { TRUST_PROXY: trust }) }
    createApp({ routes: routes() }).boot(env, { runtime, write: (line) => lines.push(line) })
    const claims = lines.map((line) => JSON.parse(line)).filter(({ msg }) => /claim any address/.test(msg))
    expect(claims.map(({ level, category }) => [level, category])).toEqual(said ? [['warn', 'config']] : [])
    for (const { msg } of claims) expect(msg).toMatch(/CIDRs of the proxy, or a number of hops/)
  },
)

test('a degraded app touches nothing outside, on schedule either', async () => {
  let asked = 0
  const service = createServer((_, response) => {
    asked++
    response.end()
  }).listen(0, '127.0.0.1')
  await once(service, 'listening')
  const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`
  const lines: string[] = []
  const app = createApp({ routes: routes(), reference: true })
  const env = { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: 'token-of-this-test' }
  app.boot({ NODE_ENV: 'production', ...env }, { ...host, write: (line) => lines.push(line) })
  await app.tick()
  await statuses(app)
  expect(asked).toBe(0)
  expect(lines.join()).toContain('DATABASE_URL is required')
  service.close()
})
