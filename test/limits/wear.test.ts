import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { type Policy, rateLimits, wear } from '../../src/parapet.ts'

const policies: Policy[] = [
  {
    name: 'login',
    match: 'POST /login',
    by: 'ip',
    limit: 2,
    per: '1h',
    strict: true,
    refund: (s) => s < 400,
  },
]

test('limits can be worn alone in any Hono app', async () => {
  const app = new Hono<{ Bindings: { peer: string } }>()
    .use(wear(rateLimits({ policies }), { peer: (c) => c.env.peer }))
    .post('/login', (c) => c.text('', c.req.query('ok') ? 200 : 401))
    .get('/other', (c) => c.text('other'))
  const login = (peer: string, query = '') =>
    app.request(`/login${query}`, { method: 'POST', headers: { 'x-forwarded-for': '6.6.6.6' } }, { peer })

  for (let i = 0; i < 5; i++) expect((await login('192.0.2.1', '?ok=1')).status).toBe(200)
  expect((await login('192.0.2.1')).headers.get('RateLimit')).toBe('"login";r=1;t=3600')
  expect((await login('192.0.2.1')).status).toBe(401)
  const refused = await login('192.0.2.1')
  expect(refused.status).toBe(429)
  expect(refused.headers.get('Retry-After')).toBe('3600')
  expect(await refused.json()).toMatchObject({ code: 'RATE_LIMITED', 'violated-policies': ['login'] })
  expect((await login('192.0.2.2')).status).toBe(401)
  const other = await app.request('/other', {}, { peer: '192.0.2.1' })
  expect([other.status, other.headers.get('RateLimit')]).toEqual([200, null])
})

test('a policy that cannot be is refused where it is written', () => {
  expect(() => rateLimits({ policies: [{ ...(policies[0] as Policy), limit: 0 }] })).toThrow(
    'Rate limit "login": limit must be a whole number, 1 or more.',
  )
})
