import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { createBypassCookie } from '../../src/gates/bypass-cookie.ts'
import type { Visit } from '../../src/gates/gate.ts'
import { maintenance as gate } from '../../src/gates/maintenance.ts'
import { createApp, maintenance, wear } from '../../src/parapet.ts'
import type { Maintenance } from '../../src/switches/maintenance.ts'

const NOON = Date.parse('2030-01-31T12:00:00Z')
const HOUR = 3_600_000
const TOKEN = 'op_9fK2mQ7xW4vB8nT1sL6yR3uJ5hG0pD'

const visit = ({ address, cookie, now = NOON }: { address?: string; cookie?: string; now?: number } = {}) =>
  ({ now, peer: address, header: (name: string) => (name === 'cookie' ? cookie : undefined) }) as Visit

const closed = (works: Partial<Maintenance> = {}) => {
  const current = {
    source: 'switch',
    until: undefined,
    message: undefined,
    allow: [],
    epoch: 'e',
    ...works,
  } as const
  return gate({
    at: () => current,
    address: ({ peer }) => peer,
    bypass: createBypassCookie(TOKEN),
  })
}

describe('the gate', () => {
  test('lets everybody pass while the house is open', () => {
    expect(gate({ at: () => undefined })(visit())).toBeUndefined()
  })

  test('asks for the moment at which the visit came', () => {
    const asked: number[] = []
    gate({ at: (now) => void asked.push(now) })(visit({ now: NOON + 5 }))
    expect(asked).toEqual([NOON + 5])
  })

  test('refuses with the message and the end', () => {
    expect(closed({ message: 'Moving', until: NOON + HOUR })(visit())).toEqual({
      code: 'MAINTENANCE',
      detail: 'Moving',
      headers: { 'Retry-After': '3600' },
      members: { until: '2030-01-31T13:00:00.000Z' },
    })
  })

  test.each([
    [undefined, '60'],
    [NOON + 1, '1'],
    [NOON + 1000, '1'],
    [NOON + 1001, '2'],
    [NOON, '1'],
    [NOON - HOUR, '1'],
    [NOON + 30 * 24 * HOUR, '2592000'],
  ])('ends %s: come back after %s seconds', (until, seconds) => {
    expect(closed({ until })(visit())).toMatchObject({ headers: { 'Retry-After': seconds } })
  })

  test('says nothing of an end that it does not know', () => {
    expect(closed()(visit())).not.toHaveProperty('members')
  })

  test.each([
    ['203.0.113.7', true],
    ['::ffff:203.0.113.7', true],
    ['2001:db8::1', true],
    ['203.0.114.1', false],
    ['2001:db9::1', false],
    ['nonsense', false],
    [undefined, false],
  ])('an address that is allowed passes: %s %s', (address, passes) => {
    const answer = closed({ allow: ['203.0.113.0/24', '2001:db8::/32'] })(visit(address ? { address } : {}))
    expect(answer === undefined).toBe(passes)
  })

  test('takes other addresses with another maintenance', () => {
    let allow = ['203.0.113.7']
    const asked = gate({ at: () => ({ allow }), address: ({ peer }) => peer })
    expect(asked(visit({ address: '203.0.113.7' }))).toBeUndefined()
    allow = ['203.0.113.8']
    expect(asked(visit({ address: '203.0.113.7' }))).toMatchObject({ code: 'MAINTENANCE' })
    expect(asked(visit({ address: '203.0.113.8' }))).toBeUndefined()
  })

  test('a bypass cookie passes, another one does not', async () => {
    const issue = async (token: string, epoch: string) =>
      (await createBypassCookie(token).issue({ epoch, until: undefined }, NOON)).header.split(
        ';',
        1,
      )[0] as string
    expect(await closed()(visit({ cookie: await issue(TOKEN, 'e') }))).toBeUndefined()
    for (const cookie of [await issue(TOKEN, 'f'), await issue(`${TOKEN}x`, 'e')]) {
      expect(await closed()(visit({ cookie }))).toMatchObject({ code: 'MAINTENANCE' })
    }
  })

  test('nobody waits who shows no cookie', () => {
    expect(closed()(visit({ cookie: 'a=b' }))).not.toBeInstanceOf(Promise)
  })
})

describe('worn alone', () => {
  const works = { until: Date.now() + HOUR, message: 'We are moving house.' }
  const app = new Hono().use(wear(maintenance({ at: () => works }))).get('/*', (c) => c.text('reached'))

  test('it closes any Hono app', async () => {
    const answer = await app.request('/x')
    expect(answer.status).toBe(503)
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(3590)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(await answer.json()).toMatchObject({
      code: 'MAINTENANCE',
      detail: works.message,
      until: new Date(works.until).toISOString(),
    })
  })
})

/** An app with a clock of its own, on an environment, and what it logs. */
const house = (env: Record<string, string> = {}, options: Parameters<typeof createApp>[0] = {}) => {
  const time = { now: NOON }
  const lines: Record<string, unknown>[] = []
  const routes = new Hono().get('/hello', (c) => c.text('hello')).get('/v1/reports', (c) => c.text('report'))
  const app = createApp({ routes, open: ['/*'], clock: () => time.now, ...options })
  app.boot(
    { NODE_ENV: 'production', INTERNAL_API_KEY: TOKEN, ...env },
    { runtime: 'node', write: (line) => lines.push(JSON.parse(line)) },
  )
  const ask = (path: string, { method = 'GET', body, ...headers }: Record<string, string> = {}) =>
    app.fetch(
      new Request(`http://localhost${path}`, {
        method,
        headers: { host: 'localhost', ...(body && { 'content-type': 'application/json' }), ...headers },
        ...(body && { body }),
      }),
      { peer: '198.51.100.1', waitUntil: () => {} },
    )
  const flip = async (method: string, path: string, body?: object) => {
    const answer = await ask(path, {
      method,
      authorization: `Bearer ${TOKEN}`,
      ...(body && { body: JSON.stringify(body) }),
    })
    return { status: answer.status, body: await answer.json() }
  }
  const status = async (path = '/hello', headers: Record<string, string> = {}) =>
    (await ask(path, headers)).status
  const told = (...categories: string[]) =>
    lines
      .filter(({ category }) => categories.includes(category as string))
      .map(({ level, msg }) => `${level} ${msg}`)
  return { time, lines, ask, flip, status, told }
}
const ON = '/api/admin/maintenance'

describe('in an app', () => {
  test('a maintenance begins and ends when it should, by itself', async () => {
    const { flip, status, time, told } = house()
    expect((await flip('PUT', ON, { from: '1h', until: '2h', message: 'Later' })).body.active).toBe(false)
    expect(await status()).toBe(200)
    time.now = NOON + HOUR
    expect(await status()).toBe(503)
    time.now = NOON + 2 * HOUR
    expect(await status()).toBe(200)
    expect(told('audit', 'system')).toEqual([
      'info maintenance scheduled',
      'info maintenance began',
      'info maintenance ended',
    ])
  })

  test('a refusal that an operator asked for is no error in the log', async () => {
    const { status, lines } = house({ MAINTENANCE_MODE: 'true' })
    await status()
    expect(lines.find(({ code }) => code === 'MAINTENANCE')).toMatchObject({ level: 'info', status: 503 })
    expect(lines.filter(({ level }) => level === 'error')).toEqual([])
  })

  test('every change has one line that says who and what, and no address', async () => {
    const { flip, lines } = house()
    await flip('PUT', ON, { until: '1h', message: 'Moving', allow: ['198.51.100.77'] })
    await flip('POST', `${ON}/bypass`)
    await flip('POST', '/api/admin/blocks', { pattern: '/v1/*' })
    await flip('POST', '/api/admin/blocks', { pattern: '/V1/*' })
    await flip('DELETE', '/api/admin/blocks?pattern=/v1/*')
    await flip('DELETE', '/api/admin/blocks?pattern=/v1/*')
    await flip('DELETE', ON)
    await flip('DELETE', ON)
    const audit = lines.filter(({ category }) => category === 'audit')
    expect(audit.map(({ msg, by }) => [msg, by])).toEqual([
      ['maintenance on', 'operator'],
      ['maintenance bypass', 'operator'],
      ['endpoint blocked', 'operator'],
      ['endpoint unblocked', 'operator'],
      ['maintenance off', 'operator'],
    ])
    expect(audit[0]).toMatchObject({ message: 'Moving', until: '2030-01-31T13:00:00.000Z', allowed: 1 })
    expect(JSON.stringify(lines)).not.toMatch(/198\.51\.100\.77|v1\.\d{10}\./)
  })

  test('an end that is over is warned of, and closes nothing', async () => {
    const { status, told } = house({ MAINTENANCE_MODE: 'true', MAINTENANCE_UNTIL: '2030-01-31T11:59:59Z' })
    expect(told('config')).toContain('warn MAINTENANCE_UNTIL is in the past: MAINTENANCE_MODE closes nothing')
    expect(await status()).toBe(200)
  })

  test('readiness stays yes, unless that is chosen otherwise', async () => {
    expect(await house({ MAINTENANCE_MODE: 'true' }).status('/readyz')).toBe(200)
    const { ask, flip } = house({}, { maintenance: { unready: true } })
    expect((await ask('/readyz')).status).toBe(200)
    await flip('PUT', ON, {})
    const answer = await ask('/readyz')
    expect(answer.status).toBe(503)
    expect(await answer.json()).toMatchObject({
      ready: false,
      checks: expect.arrayContaining([{ name: 'maintenance', status: 'unavailable', critical: true }]),
    })
    await flip('DELETE', ON)
    expect((await ask('/readyz')).status).toBe(200)
  })

  test('a Redis that was never there leaves the house open, or closed by choice', async () => {
    const env = { UPSTASH_REDIS_REST_URL: 'http://127.0.0.1:1', UPSTASH_REDIS_REST_TOKEN: 'a-token' }
    expect(await house(env).status()).toBe(200)
    const closed = house(env, { maintenance: { whenUnknown: 'closed' } })
    expect(await closed.status()).toBe(503)
    expect((await closed.flip('GET', ON)).body).toMatchObject({ active: true, known: false })
    expect(await closed.flip('PUT', ON, {})).toMatchObject({
      status: 503,
      body: { code: 'SWITCHES_UNAVAILABLE' },
    })
  })

  test('endpoints are blocked at run time in every environment', async () => {
    for (const NODE_ENV of ['production', 'development']) {
      const { flip, status, told } = house({ NODE_ENV, LOG_FORMAT: 'json' })
      await flip('POST', '/api/admin/blocks', { pattern: '/v1/reports' })
      expect(await status('/V1/Reports.json/')).toBe(403)
      expect(told('security')).toEqual(['warn blocked endpoint'])
      await flip('DELETE', '/api/admin/blocks?pattern=/v1/reports')
      expect(await status('/v1/reports')).toBe(200)
    }
  })

  test('without a token nobody is an operator', async () => {
    const { status } = house({ INTERNAL_API_KEY: '' })
    for (const path of [ON, `${ON}/bypass`, '/api/admin/blocks']) {
      expect(
        await status(path, { method: path.endsWith('bypass') ? 'POST' : 'GET', authorization: 'Bearer x' }),
      ).toBe(401)
    }
  })
})

describe('as a page', () => {
  const page = async (env: Record<string, string>) =>
    (await house({ MAINTENANCE_MODE: 'true', ...env }).ask('/hello', { accept: 'text/html' })).text()

  test('it says when the house is expected to be open again', async () => {
    expect(await page({ MAINTENANCE_UNTIL: '2030-02-01T09:30:00+01:00' })).toContain(
      '<time datetime="2030-02-01T08:30:00.000Z">1 February 2030 at 08:30 UTC</time>',
    )
    expect(await page({})).not.toContain('<time')
  })

  test('the message is text, whatever it is', async () => {
    const html = await page({ MAINTENANCE_MESSAGE: '<script>alert(1)</script> & "more"' })
    expect(html).toContain('&#60;script&#62;alert(1)&#60;/script&#62; &#38; &#34;more&#34;')
  })
})
