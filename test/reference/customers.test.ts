import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../contract/harness.ts'
import { endAll, type Launched, launch, type Runtime } from '../contract/runtimes.ts'
import { type Backend, startBackend } from './backends.ts'

const RUNTIMES: Runtime[] = ['node', 'bun', 'workerd']
const OPERATOR = 'operator-of-this-test-0123456789abcdef'

describe.each(RUNTIMES)('/api/customers on %s', (runtime) => {
  let backend: Backend
  let server: Launched
  let base: string

  beforeAll(async () => {
    backend = await startBackend()
    server = await launch(runtime, {
      app: 'plain',
      env: {
        NODE_ENV: 'test',
        INTERNAL_API_KEY: OPERATOR,
        ENABLE_CACHE: 'true',
        LOG_FORMAT: 'json',
        ...backend.env,
      },
    })
    base = `http://127.0.0.1:${await server.listening}`
  })
  afterAll(async () => {
    await endAll()
    await backend?.close()
  })

  const call = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    fetch(base + path, {
      method,
      headers: {
        Authorization: `Bearer ${OPERATOR}`,
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
  const unique = (name: string) => `${name}-${crypto.randomUUID()}@example.com`
  const create = async (name = 'Ada') =>
    (await call('POST', '/api/customers', { name, email: unique('ada') })).json()

  test('readiness is 200 with everything that it needs', async () => {
    const readiness = () => fetch(`${base}/health/ready`)
    const response = await eventually(readiness, ({ status }) => status === 200)
    const { checks } = (await response.json()) as { checks: { name: string; critical: boolean }[] }
    expect(checks.filter(({ critical, name }) => critical || name === 'redis')).toEqual([
      { name: 'config', status: 'ok', critical: true },
      { name: 'database', status: 'ok', critical: true },
      { name: 'migrations', status: 'ok', critical: true },
      { name: 'redis', status: 'ok', critical: false },
    ])
  })

  test('a customer is created, read, changed, replaced and deleted', async () => {
    const email = unique('grace')
    const created = await call('POST', '/api/customers', { name: '  Grace Höpper 🚢 ', email })
    expect(created.status).toBe(201)
    const customer = await created.json()
    expect(customer).toMatchObject({ name: 'Grace Höpper 🚢', email, status: 'active' })
    expect(created.headers.get('location')).toBe(`/api/customers/${customer.id}`)

    const path = `/api/customers/${customer.id}`
    expect(await (await call('GET', path)).json()).toEqual(customer)

    const patched = await (await call('PATCH', path, { status: 'paused' })).json()
    expect(patched).toMatchObject({ id: customer.id, name: customer.name, status: 'paused' })
    expect(Date.parse(patched.updatedAt)).toBeGreaterThanOrEqual(Date.parse(customer.updatedAt))
    // Kept in Redis by the read above, and forgotten by the change.
    expect(await (await call('GET', path)).json()).toEqual(patched)

    const replaced = await (await call('PUT', path, { name: 'G', email })).json()
    expect(replaced).toMatchObject({ name: 'G', email, status: 'active' })

    expect((await call('DELETE', path)).status).toBe(204)
    expect((await call('GET', path)).status).toBe(404)
    expect((await call('DELETE', path)).status).toBe(404)
    expect((await call('PATCH', path, { name: 'x' })).status).toBe(404)
  })

  test('two customers cannot share an e-mail address, in any letter case', async () => {
    const email = unique('same')
    const { id } = await create()
    expect((await call('POST', '/api/customers', { name: 'A', email })).status).toBe(201)
    for (const response of [
      await call('POST', '/api/customers', { name: 'B', email: email.toUpperCase() }),
      await call('PATCH', `/api/customers/${id}`, { email }),
    ]) {
      expect(response.status).toBe(409)
      expect(await response.json()).toMatchObject({
        code: 'CONFLICT',
        detail: expect.stringContaining('e-mail'),
      })
    }
  })

  test.each<[string, unknown, string]>([
    ['nothing', {}, 'name'],
    ['a list', [], ''],
    ['a wrong type', { name: 5, email: 'a@example.com' }, 'name'],
    ['an empty name', { name: '   ', email: 'a@example.com' }, 'name'],
    ['a long name', { name: 'x'.repeat(201), email: 'a@example.com' }, 'name'],
    ['no address', { name: 'A', email: 'nobody' }, 'email'],
    ['an unknown status', { name: 'A', email: 'a@example.com', status: 'vip' }, 'status'],
    ['an unknown member', { name: 'A', email: 'a@example.com', role: 'admin' }, ''],
    ['NUL, which Postgres cannot store', { name: 'A\u0000B', email: 'a@example.com' }, 'name'],
    ['half a surrogate pair', '{"name":"\\ud800","email":"a@example.com"}', 'name'],
  ])('%s is 422 and says where', async (_, body, path) => {
    const response = await call('POST', '/api/customers', body)
    expect(response.status).toBe(422)
    const { code, errors } = await response.json()
    expect(code).toBe('VALIDATION_FAILED')
    expect(errors).toContainEqual({ path, code: expect.any(String), message: expect.any(String) })
  })

  test.each(['not-a-uuid', '00000000-0000-4000-8000-000000000000', "1'; drop table customers; --"])(
    'an id that is nobody’s is 404: %s',
    async (id) => {
      expect((await call('GET', `/api/customers/${encodeURIComponent(id)}`)).status).toBe(404)
    },
  )

  test.each([
    'limit=0',
    'limit=201',
    'limit=x',
    'cursor=forged',
    `cursor=${btoa('["now()","x"]')}`,
    'status=vip',
    'order=asc',
  ])('a query that cannot be answered is 422: %s', async (query) => {
    expect((await call('GET', `/api/customers?${query}`)).status).toBe(422)
  })

  test('pages by cursor hold every customer once, newest first, also while others are added', async () => {
    expect(await (await call('POST', '/api/seed')).json()).toEqual({ inserted: 100 })
    expect(await (await call('POST', '/api/seed')).json()).toEqual({ inserted: 0 })
    const seen: string[] = []
    const times: string[] = []
    let cursor: string | null = null
    let pages = 0
    do {
      const response = await call('GET', `/api/customers?limit=30${cursor ? `&cursor=${cursor}` : ''}`)
      const page: { data: { id: string; createdAt: string }[]; nextCursor: string | null } =
        await response.json()
      seen.push(...page.data.map(({ id }) => id))
      times.push(...page.data.map(({ createdAt }) => createdAt))
      cursor = page.nextCursor
      pages++
      if (pages === 2) await create('Late')
    } while (cursor)
    expect(seen.length).toBeGreaterThanOrEqual(100)
    expect(new Set(seen).size).toBe(seen.length)
    expect(times).toEqual([...times].sort().reverse())
    const paused = await (await call('GET', '/api/customers?status=paused&limit=200')).json()
    expect(new Set(paused.data.map(({ status }: { status: string }) => status))).toEqual(new Set(['paused']))
  })

  test('100 creations at once are 100 customers', async () => {
    const made = await Promise.all(Array.from({ length: 100 }, () => create('Many')))
    expect(new Set(made.map(({ id }) => id)).size).toBe(100)
  })

  test('without credentials, or with wrong ones, nothing is told or changed', async () => {
    for (const headers of [{ Authorization: '' }, { Authorization: 'Bearer wrong' }]) {
      for (const [method, body] of [
        ['GET', undefined],
        ['POST', { name: 'A', email: unique('x') }],
        ['DELETE', undefined],
      ] as const) {
        const response = await call(
          method,
          method === 'DELETE' ? '/api/customers/x' : '/api/customers',
          body,
          headers,
        )
        expect(response.status).toBe(401)
        expect(Object.keys(await response.json())).not.toContain('data')
      }
    }
  })

  test('no value of a customer, and no SQL, was written to the log', () => {
    expect(server.output()).not.toMatch(/@example\.com|Höpper|insert into|select "/i)
  })
})
