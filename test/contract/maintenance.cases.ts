import { beforeAll, describe, expect, it } from 'vitest'
import { METHODS } from './blocked.cases.ts'
import { expectGuarded, expectProblem } from './expectations.ts'
import {
  type Answer,
  bearer,
  describeServer,
  eventually,
  lines,
  OPERATOR_TOKEN,
  type Server,
} from './harness.ts'
import type { Runtime } from './runtimes.ts'

const MAINTENANCE = '/api/admin/maintenance'
const BYPASS = `${MAINTENANCE}/bypass`
const BLOCKS = '/api/admin/blocks'
const UNTIL = '2087-06-05T04:03:02.000Z'
const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'

const ALLOWED = '203.0.113.72'
const from = (address: string) => ({ 'x-forwarded-for': address })

const PRODUCTION = {
  NODE_ENV: 'production',
  INTERNAL_API_KEY: OPERATOR_TOKEN,
  CORS_ORIGIN: 'https://app.example',
  TRUST_PROXY: '1',
}
const CLOSED = {
  ...PRODUCTION,
  MAINTENANCE_MODE: 'true',
  MAINTENANCE_MESSAGE: 'We are moving house <b>today</b>.',
  MAINTENANCE_ALLOWED_IPS: `${ALLOWED}, 2001:db8::/32`,
  MAINTENANCE_UNTIL: '2087-06-05T06:03:02+02:00',
}

const cookieOf = (answer: Answer): string => answer.header('set-cookie')?.split(';', 1)[0] ?? ''

const operator = (server: Server) => async (method: string, path: string, body?: unknown) =>
  server.ask(path, {
    method,
    headers: { ...bearer(), ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })

/** Closed by its environment. */
const closedCases = (server: () => Server): void => {
  const hits = async (): Promise<number> =>
    JSON.parse((await server().ask('/test/hits', { headers: from(ALLOWED) })).body).handlers

  it.each(['/open/ok', '/closed/ok', '/', '/none', '/api/seed', '/open/wipe'])(
    '%s: 503 for every method, until when, and no handler runs',
    async (path) => {
      const before = await hits()
      for (const method of METHODS) {
        for (const headers of [{}, bearer(), from('198.51.100.1')]) {
          const answer = await server().ask(path, {
            method,
            headers,
            ...(method === 'POST' && { body: '{' }),
          })
          expect(answer.status).toBe(503)
          expectGuarded(answer)
          expect(answer.header('retry-after')).toMatch(/^[1-9]\d{8,}$/)
          expect(answer.header('cache-control')).toBe('no-store')
          if (method === 'HEAD') expect(answer.body).toBe('')
          else {
            const body = expectProblem(answer, 503, 'MAINTENANCE', { path, members: ['until'] })
            expect(body).toMatchObject({ detail: CLOSED.MAINTENANCE_MESSAGE, until: UNTIL })
          }
        }
      }
      expect(await hits()).toBe(before)
    },
  )

  it('a browser gets a page, with the message as text and the end as a time', async () => {
    const answer = await server().ask('/open/page', { headers: { accept: BROWSER } })
    expect(answer.status).toBe(503)
    expect(answer.header('content-type')).toMatch(/^text\/html/)
    expect(answer.header('retry-after')).toMatch(/^[1-9]\d+$/)
    expect(answer.header('cache-control')).toBe('no-store')
    expectGuarded(answer)
    expect(answer.body).toContain('We are moving house &#60;b&#62;today&#60;/b&#62;.')
    expect(answer.body).toContain(`<time datetime="${UNTIL}">5 June 2087 at 04:03 UTC</time>`)
  })

  it('browsers of allowed origins can read it, and their preflights are answered', async () => {
    const headers = { origin: 'https://app.example' }
    const answer = await server().ask('/open/ok', { headers })
    expect(answer.status).toBe(503)
    expect(answer.header('access-control-allow-origin')).toBe('https://app.example')
    expect(answer.header('access-control-expose-headers')).toContain('Retry-After')
    const preflight = { ...headers, 'access-control-request-method': 'PUT' }
    expect((await server().ask('/open/ok', { method: 'OPTIONS', headers: preflight })).status).toBe(204)
  })

  it.each(['/health', '/livez', '/readyz', '/health/ready'])('%s: 200', async (path) => {
    expect((await server().ask(path)).status).toBe(200)
    expect((await server().ask(path, { method: 'HEAD' })).status).toBe(200)
  })

  it('what can be read in two ways is refused all the same', async () => {
    expectProblem(await server().raw({ target: '/open//ok' }), 400, 'BAD_REQUEST_TARGET')
  })

  it.each([ALLOWED, `::ffff:${ALLOWED}`, '2001:db8::1', `6.6.6.6, ${ALLOWED}`])(
    'an allowed address passes: %s',
    async (address) => {
      expect((await server().ask('/open/ok', { headers: from(address) })).status).toBe(200)
      // The other gates are where they were.
      expect((await server().ask('/closed/ok', { headers: from(address) })).status).toBe(401)
      expect((await server().ask('/api/seed', { headers: from(address) })).status).toBe(403)
    },
  )

  it.each(['203.0.113.73', '2001:db9::1', `${ALLOWED}, 6.6.6.6`, `${ALLOWED}, x`, ''])(
    'another one does not: %j',
    async (address) => {
      expect((await server().ask('/open/ok', { headers: from(address) })).status).toBe(503)
    },
  )

  it('the environment wins over the switch', async () => {
    const ask = operator(server())
    const state = async (method: string, body?: object) =>
      JSON.parse((await ask(method, MAINTENANCE, body)).body)
    const closed = {
      active: true,
      source: 'environment',
      until: UNTIL,
      message: CLOSED.MAINTENANCE_MESSAGE,
      known: true,
    }
    expect(await state('GET')).toEqual({ ...closed, windows: [] })
    expect(await state('PUT', { message: 'Another', until: '1h' })).toMatchObject({
      ...closed,
      windows: [{ message: 'Another', open: true }],
    })
    expect(await state('DELETE')).toEqual({ ...closed, windows: [] })
    expect((await server().ask('/open/ok')).status).toBe(503)
  })

  it('an operator gets a cookie that passes, for twelve hours', async () => {
    const answer = await operator(server())('POST', BYPASS)
    expect(answer.status).toBe(200)
    expect(answer.header('set-cookie')).toMatch(
      /^__Host-parapet-bypass=v1\.\d+\.[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    )
    const hours = (Date.parse(JSON.parse(answer.body).expires) - Date.now()) / 3_600_000
    expect(hours).toBeGreaterThan(11.9)
    expect(hours).toBeLessThanOrEqual(12)
    const cookie = cookieOf(answer)
    expect((await server().ask('/open/ok', { headers: { cookie } })).status).toBe(200)
    expect((await server().ask('/open/ok', { headers: { cookie: `${cookie}; ${cookie}` } })).status).toBe(503)
    expect((await server().ask('/open/ok', { headers: { cookie: cookie.slice(0, -2) } })).status).toBe(503)
  })

  it('is in the log, as nothing that went wrong', async () => {
    const headers = { 'x-correlation-id': 'a-visit-in-vain' }
    await server().ask('/open/ok', { headers })
    const output = await eventually(server().process.output, (text) => text.includes('a-visit-in-vain'))
    const line = lines(output).find(({ correlationId }) => correlationId === 'a-visit-in-vain')
    expect(line).toMatchObject({ level: 'info', code: 'MAINTENANCE', status: 503 })
  })
}

/** What an operator may not send, and what is said of it. */
const BAD_WINDOWS: [what: string, body: unknown, status: number, code: string, path?: string][] = [
  ['no JSON', '{', 400, 'INVALID_JSON'],
  ['nothing', '', 400, 'INVALID_JSON'],
  ['what reaches a prototype', '{"__proto__":{"until":"1h"}}', 400, 'INVALID_JSON'],
  ['what is nested deep', '['.repeat(100), 400, 'INVALID_JSON'],
  ['null', 'null', 422, 'VALIDATION_FAILED', ''],
  ['a list', [], 422, 'VALIDATION_FAILED', ''],
  ['a member too many', { force: true }, 422, 'VALIDATION_FAILED', ''],
  ['an end in the past', { until: '2020-01-01T00:00:00Z' }, 422, 'VALIDATION_FAILED', 'until'],
  ['an end without a zone', { until: '2087-01-01T00:00:00' }, 422, 'VALIDATION_FAILED', 'until'],
  ['an end that is no day', { until: '2087-02-30T00:00:00Z' }, 422, 'VALIDATION_FAILED', 'until'],
  ['an end that is a number', { until: 4_000_000_000 }, 422, 'VALIDATION_FAILED', 'until'],
  ['an end before the beginning', { from: '2h', until: '1h' }, 422, 'VALIDATION_FAILED', 'until'],
  ['a beginning without an end', { from: '1h' }, 422, 'VALIDATION_FAILED', 'until'],
  ['a bad range', { allow: ['10.0.0.0/8', 'office'] }, 422, 'VALIDATION_FAILED', 'allow.1'],
  ['a message of two lines', { message: 'a\nb' }, 422, 'VALIDATION_FAILED', 'message'],
  ['a long message', { message: 'x'.repeat(501) }, 422, 'VALIDATION_FAILED', 'message'],
  ['more than fits', { message: 'x'.repeat(70_000) }, 413, 'PAYLOAD_TOO_LARGE'],
]

const BAD_PATTERNS = ['api', '', '/a*', '/a/../b', '/a%2fb', '/a?b', '//a', '/a;b', 5, null]

/** Closed and opened by an operator, on an instance without a Redis. */
const switchCases = (server: () => Server): void => {
  const flip = (method: string, path: string, body?: unknown) => operator(server())(method, path, body)
  const state = async () => JSON.parse((await flip('GET', MAINTENANCE)).body)
  const status = async (path = '/open/ok', headers: HeadersInit = {}) =>
    (await server().ask(path, { headers })).status
  const allOff = () => flip('DELETE', `${MAINTENANCE}?all=true`)

  it('closed at once, passed with a cookie, opened again; an old cookie opens nothing new', async () => {
    expect(await status()).toBe(200)
    expectProblem(await flip('POST', BYPASS), 409, 'CONFLICT')

    const on = await flip('PUT', MAINTENANCE, {
      message: 'Back soon',
      until: '30m',
      allow: [`${ALLOWED}/32`],
    })
    expect(on.status).toBe(200)
    expect(on.header('cache-control')).toBe('no-store')
    expect(JSON.parse(on.body)).toMatchObject({
      active: true,
      source: 'switch',
      message: 'Back soon',
      known: true,
    })
    const answer = await server().ask('/open/ok')
    const problem = expectProblem(answer, 503, 'MAINTENANCE', { members: ['until'] })
    expect(problem).toMatchObject({ detail: 'Back soon', until: JSON.parse(on.body).until })
    expect(Number(answer.header('retry-after'))).toBeGreaterThan(1790)
    expect(Number(answer.header('retry-after'))).toBeLessThanOrEqual(1800)
    expect(await status('/open/ok', from(ALLOWED))).toBe(200)
    expect(await status('/readyz')).toBe(200)

    const given = await flip('POST', BYPASS)
    const cookie = cookieOf(given)
    expect(Date.parse(JSON.parse(given.body).expires)).toBeLessThanOrEqual(
      Date.parse(problem.until as string),
    )
    expect(await status('/open/ok', { cookie })).toBe(200)

    expect((await flip('DELETE', MAINTENANCE)).status).toBe(200)
    expect(await status()).toBe(200)
    await flip('PUT', MAINTENANCE, {})
    const endless = await server().ask('/open/ok', { headers: { cookie } })
    expectProblem(endless, 503, 'MAINTENANCE')
    expect(endless.header('retry-after')).toBe('60')
    expect(await status('/open/ok', { cookie: cookieOf(await flip('POST', BYPASS)) })).toBe(200)
    await allOff()
  })

  it('scheduled beside what is open, and taken back by name only', async () => {
    await flip('PUT', MAINTENANCE, { from: '1h', until: '2h', message: 'Later' })
    expect(await status()).toBe(200)
    expect(await state()).toMatchObject({ active: false, windows: [{ open: false, message: 'Later' }] })
    await flip('PUT', MAINTENANCE, { message: 'Now' })
    expect((await state()).windows).toHaveLength(2)
    await flip('DELETE', MAINTENANCE)
    expect((await state()).windows).toMatchObject([{ message: 'Later' }])
    await allOff()
    expect((await state()).windows).toEqual([])
  })

  it('it ends by itself', async () => {
    await flip('PUT', MAINTENANCE, { until: '1s' })
    expect(await status()).toBe(503)
    await eventually(status, (seen) => seen === 200, 5000)
    expect(await state()).toMatchObject({ active: false, windows: [] })
  })

  describe('bad input', () => {
    beforeAll(async () => {
      await flip('PUT', MAINTENANCE, { message: 'Standing' })
      await flip('POST', BLOCKS, { pattern: '/open/standing' })
    })

    const expectStanding = async () => {
      expect(await state()).toMatchObject({ active: true, message: 'Standing' })
      expect(JSON.parse((await flip('GET', BLOCKS)).body).blocked).toMatchObject([
        { pattern: '/open/standing' },
      ])
    }

    it.each(BAD_WINDOWS)('%s is refused, and the switch stands', async (_, body, status, code, path) => {
      const problem = expectProblem(await flip('PUT', MAINTENANCE, body), status, code as 'CONFLICT')
      if (path !== undefined) expect(problem.errors?.map((error) => error.path)).toEqual([path])
      await expectStanding()
    })

    it('what is not sent as JSON is refused', async () => {
      const answer = await server().ask(MAINTENANCE, {
        method: 'PUT',
        headers: { ...bearer(), 'content-type': 'text/plain' },
        body: '{}',
      })
      expectProblem(answer, 415, 'UNSUPPORTED_MEDIA_TYPE')
      await expectStanding()
    })

    it.each(['?all=yes', '?all', '?all=true&all=false', '?force=true', '?all=true&x=1'])(
      'a query that says something else is refused: %s',
      async (query) => {
        expectProblem(await flip('DELETE', `${MAINTENANCE}${query}`), 422, 'VALIDATION_FAILED')
        await expectStanding()
      },
    )

    it.each(BAD_PATTERNS)('a bad pattern is refused: %j', async (pattern) => {
      const answer = await flip('POST', BLOCKS, { pattern })
      expect(expectProblem(answer, 422, 'VALIDATION_FAILED').errors?.[0]?.path).toBe('pattern')
      const query = `?pattern=${encodeURIComponent(String(pattern))}`
      expectProblem(await flip('DELETE', `${BLOCKS}${query}`), 422, 'VALIDATION_FAILED')
      await expectStanding()
    })

    it('a pattern that is not blocked, or none, opens nothing', async () => {
      expectProblem(await flip('DELETE', `${BLOCKS}?pattern=/open/never`), 404, 'NOT_FOUND')
      expectProblem(await flip('DELETE', BLOCKS), 422, 'VALIDATION_FAILED')
      await expectStanding()
      await allOff()
      await flip('DELETE', `${BLOCKS}?pattern=/open/standing`)
    })
  })

  it('an endpoint is blocked at run time, in every disguise, and opened again', async () => {
    const added = await flip('POST', BLOCKS, { pattern: '/open/path/*' })
    expect(JSON.parse(added.body)).toMatchObject({ blocked: [{ pattern: '/open/path/*', by: 'operator' }] })
    const handlers = await server().handlersDuring(async () => {
      for (const path of [
        '/open/path',
        '/open/path/x',
        '/OPEN/Path.json',
        '/open/%70ath/x',
        '/open/path;a=b/x',
      ]) {
        for (const method of METHODS) {
          const answer = await server().ask(path, { method, headers: bearer() })
          expect(answer.status, `${method} ${path}`).toBe(403)
          if (method !== 'HEAD') expectProblem(answer, 403, 'ENDPOINT_BLOCKED')
        }
      }
    })
    expect(handlers).toBe(0)
    expect(await status('/open/pathology')).toBe(404)
    const headers = { origin: 'https://app.example' }
    expect(
      (await server().ask('/open/path/x', { headers })).header('access-control-allow-origin'),
    ).toBeDefined()

    expect((await flip('DELETE', `${BLOCKS}?pattern=${encodeURIComponent('/Open/Path/*')}`)).status).toBe(200)
    expect(await status('/open/path/x')).toBe(200)
  })

  it.each<[path: string, methods: string[], allow: string]>([
    [MAINTENANCE, ['GET', 'HEAD', 'PUT', 'DELETE'], 'GET, HEAD, PUT, DELETE'],
    [BYPASS, ['POST'], 'POST'],
    [BLOCKS, ['GET', 'HEAD', 'POST', 'DELETE'], 'GET, HEAD, POST, DELETE'],
  ])('%s is for operators alone', async (path, methods, allow) => {
    const said = ({ body }: Answer) => body.replace(/"(?:correlationId|traceId|timestamp)":"[^"]+"/g, '')
    for (const method of METHODS) {
      const none = await server().ask(path, { method })
      const wrong = await server().ask(path, { method, headers: bearer('wrong-but-of-a-good-length-0000') })
      expect(said(wrong)).toBe(said(none))
      if (!methods.includes(method)) {
        expect(none.status).toBe(405)
        expect(none.header('allow')).toBe(allow)
        continue
      }
      expect(none.header('cache-control')).toBe('no-store')
      if (method === 'HEAD') expect(none.status).toBe(401)
      else {
        expectProblem(none, 401, 'UNAUTHORIZED', { path })
        expectProblem(wrong, 401, 'UNAUTHORIZED', { path })
      }
    }
    for (const query of [`?token=${OPERATOR_TOKEN}`, `?access_token=${OPERATOR_TOKEN}`]) {
      expect(await status(path.replace(BYPASS, MAINTENANCE) + query)).toBe(401)
    }
  })

  it('every change is one line of audit, and every call one in the log of requests', async () => {
    const headers = { ...bearer(), 'x-correlation-id': 'a-change', 'content-type': 'application/json' }
    const body = JSON.stringify({ message: 'Audited', allow: ['203.0.113.99'] })
    await server().ask(MAINTENANCE, { method: 'PUT', headers, body })
    await allOff()
    const logged = () =>
      lines(server().process.output()).filter(({ correlationId }) => correlationId === 'a-change')
    await expect.poll(logged).toHaveLength(2)
    expect(logged()).toMatchObject([
      { category: 'audit', msg: 'maintenance on', by: 'operator', message: 'Audited', allowed: 1 },
      { category: 'http', method: 'PUT', path: MAINTENANCE, status: 200, principal: 'operator' },
    ])
    expect(server().process.output()).not.toContain('203.0.113.99')
  })
}

/** Section 6 of the contract, as far as one instance can show it. */
export const maintenanceCases = (runtime: Runtime): void => {
  describeServer('closed for maintenance by the environment', runtime, { env: CLOSED }, closedCases)
  describeServer('closed for maintenance by a switch', runtime, { env: PRODUCTION }, switchCases)
}
