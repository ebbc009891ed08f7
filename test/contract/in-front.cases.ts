import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DISGUISES, METHODS, REFUSED } from './blocked.cases.ts'
import { BODY_LIMIT } from './body.cases.ts'
import { expectGuarded, expectProblem } from './expectations.ts'
import { arrivedDuring, type FakeOrigin, oneArrived, startFakeOrigin } from './fake-origin.ts'
import { describeServer, OPERATOR_TOKEN } from './harness.ts'
import { inFrontHeadersCases } from './in-front-headers.cases.ts'
import { inFrontStreamsCases } from './in-front-streams.cases.ts'
import type { Runtime } from './runtimes.ts'

const TARGETS = [
  '/things',
  '/things/',
  '/things?a=1&b=%2F&a=2',
  '/things?',
  '/things?q=%zz&r=../..//',
  '/caf%C3%A9/a%20b;v=1',
  "/~a!$&'()*+,=:@",
  '/packages/@scope%2Fname',
  '/api/seedlings',
  '/api/customers',
  '/',
]

export const inFrontCases = (runtime: Runtime): void => {
  describe('in front of an origin', () => {
    let origin: FakeOrigin
    beforeAll(async () => {
      origin = await startFakeOrigin()
    })
    afterAll(() => origin.close())
    const options = () => ({
      app: 'front' as const,
      env: {
        NODE_ENV: 'production',
        INTERNAL_API_KEY: OPERATOR_TOKEN,
        CORS_ORIGIN: 'https://app.example',
        ORIGIN_URL: `${origin.url}/base/`,
        ORIGIN_TIMEOUT_MS: '300',
        // As long as the origin's, as both are by default: the origin's must be the one that is told.
        REQUEST_TIMEOUT_MS: '300',
        BODY_LIMIT_BYTES: String(BODY_LIMIT),
      },
    })

    describeServer('that answers', runtime, options, (server) => {
      const one = (work: () => Promise<unknown>) => oneArrived(origin, work)

      it.each(TARGETS)('hands the target on as it came: %s', async (target) => {
        const { url } = await one(async () => {
          expect((await server().raw({ target })).status).toBe(200)
        })
        expect(url).toBe(`/base${target === '/things?' && url.endsWith('things') ? '/things' : target}`)
      })

      it.each(METHODS)('hands %s on', async (method) => {
        const body = ['POST', 'PUT', 'PATCH', 'DELETE'].includes(method) ? { body: '{"a":"é"}' } : {}
        const seen = await one(async () => {
          const answer = await server().ask('/things', { method, ...body })
          expect(answer.status).toBe(200)
          expectGuarded(answer)
          if (method !== 'HEAD') {
            const echoed = JSON.parse(answer.body)
            expect(Buffer.from(echoed.body, 'latin1').toString()).toBe(body.body ?? '')
          }
        })
        expect(seen.method).toBe(method)
      })

      it('hands bytes on unchanged', async () => {
        const bytes = new Uint8Array(4096).map((_, at) => at % 256)
        const answer = await server().ask('/things', { method: 'POST', body: bytes })
        expect(Buffer.from(JSON.parse(answer.body).body, 'latin1')).toEqual(Buffer.from(bytes))
      })

      it.each([
        ['/created', 201],
        ['/empty', 204],
        ['/moved', 302],
        ['/not-modified', 304],
        ['/teapot', 418],
        ['/failing', 500],
      ])('brings %s back with its status, in our headers', async (path, status) => {
        const answer = await server().ask(path)
        expect(answer.status).toBe(status)
        expectGuarded(answer)
        if (status === 201) expect(answer.header('location')).toBe('/things/1')
        if (status === 302) expect(answer.header('location')).toBe('https://elsewhere.example/')
        if (status === 304) expect(answer.header('etag')).toBe('"1"')
        if (status === 418) expect(answer.body).toBe('short and stout')
        if (status === 500) expect(answer.body).toBe('its own words')
      })

      it('brings several cookies back', async () => {
        const { headers } = await server().raw({ target: '/cookies' })
        const cookies = headers.filter(([name]) => name === 'set-cookie').map(([, value]) => value)
        expect(cookies).toEqual(['a=1; Path=/', 'b=2; Path=/'])
      })

      it('brings what is zipped back whole', async () => {
        const answer = await server().ask('/zipped', { headers: { 'accept-encoding': 'gzip' } })
        expect(answer.body).toBe('unzipped'.repeat(100))
      })

      it('brings a page back, which may be framed by nobody', async () => {
        const answer = await server().ask('/page', { headers: { accept: 'text/html' } })
        expect(answer.body).toBe('<h1>Origin</h1>')
        expectGuarded(answer)
      })

      inFrontHeadersCases(server, () => origin)

      it.each([...DISGUISES.map(([, target]) => target), ...REFUSED])(
        'blocked, it does not reach it, by no method: %j',
        async (target) => {
          const arrived = await arrivedDuring(origin, async () => {
            for (const method of METHODS) {
              const own = target.replace('HOST', `127.0.0.1:${server().port}`)
              const answer = await server().raw({
                method,
                target: own,
                ...(method === 'POST' && { body: '{}' }),
              })
              // workerd drops a fragment, which leaves an innocent root or a blocked endpoint.
              if (!target.startsWith('/#')) expect([400, 403, 505]).toContain(answer.status)
            }
          })
          expect(arrived).toEqual([])
        },
      )

      it.each(['/livez', '/health', '/health/ready', '/readyz'])('%s stays our own', async (path) => {
        const arrived = await arrivedDuring(origin, async () => {
          const answer = await server().ask(path)
          expect(answer.status).toBe(200)
          expect(JSON.parse(answer.body).status).toBe('ok')
          expect((await server().ask(path, { method: 'POST' })).status).toBe(405)
        })
        expect(arrived.filter(({ url }) => url.endsWith(path))).toEqual([])
      })

      it("the team's own routes win, and their 405 is theirs", async () => {
        const arrived = await arrivedDuring(origin, async () => {
          expect(JSON.parse((await server().ask('/open/ok')).body)).toEqual({ ok: true, method: 'GET' })
          expectProblem(await server().ask('/open/write', { method: 'DELETE' }), 405, 'METHOD_NOT_ALLOWED')
        })
        expect(arrived).toEqual([])
      })

      it('preflights are answered here, other OPTIONS there', async () => {
        const headers = { origin: 'https://app.example', 'access-control-request-method': 'PUT' }
        const preflight = () => server().ask('/things', { method: 'OPTIONS', headers })
        expect(await arrivedDuring(origin, async () => expect((await preflight()).status).toBe(204))).toEqual(
          [],
        )
        const other = await one(() => server().ask('/things', { method: 'OPTIONS' }))
        expect(other.method).toBe('OPTIONS')
      })

      inFrontStreamsCases(server, () => origin)
    })

    describe.each([
      ['that is down', 'http://127.0.0.1:1'],
      ['whose name means nothing', 'http://origin-canary.invalid'],
    ])('%s', (what, url) => {
      const env = { NODE_ENV: 'production', ORIGIN_URL: url, ORIGIN_TIMEOUT_MS: '3000' }
      describeServer(what, runtime, { app: 'front', env }, (server) => {
        it('502 in our words, and liveness is well', async () => {
          for (const path of ['/things', '/api/customers', '/things?token=x']) {
            const answer = await server().ask(path)
            expectProblem(answer, 502, 'ORIGIN_UNREACHABLE', { path: path.split('?')[0] as string })
            expect(answer.body).not.toMatch(/canary|127\.0\.0\.1|ENOTFOUND|ECONNREFUSED|DNS/i)
          }
          expect((await server().ask('/livez')).status).toBe(200)
          expectProblem(await server().ask('/api/seed'), 403, 'ENDPOINT_BLOCKED')
        })

        it('a page for a browser', async () => {
          const answer = await server().ask('/things', { headers: { accept: 'text/html' } })
          expect(answer.status).toBe(502)
          expect(answer.header('content-type')).toMatch(/^text\/html/)
          expectGuarded(answer)
        })
      })
    })
  })
}
