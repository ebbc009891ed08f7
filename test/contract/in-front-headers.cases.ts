import { describe, expect, it } from 'vitest'
import { expectGuarded } from './expectations.ts'
import { type FakeOrigin, oneArrived } from './fake-origin.ts'
import { OPERATOR_TOKEN, type Server } from './harness.ts'

const FORGED = '6.6.6.6'

/** Headers by which a caller could tell an origin another address, path or method. */
const FORGERIES: [string, string][] = [
  ['X-Forwarded-For', FORGED],
  ['X-Forwarded-Host', `${FORGED}.example`],
  ['X-Forwarded-Proto', `https-${FORGED}`],
  ['X-Forwarded-Port', '6666'],
  ['X-Forwarded-Prefix', `/${FORGED}`],
  ['X-Forwarded-Path', `/${FORGED}`],
  ['Forwarded', `for=${FORGED};host=${FORGED}`],
  ['X-Real-IP', FORGED],
  ['X-Client-IP', FORGED],
  ['X-Cluster-Client-IP', FORGED],
  ['True-Client-IP', FORGED],
  ['X-Original-URL', `/${FORGED}`],
  ['X-Rewrite-URL', `/${FORGED}`],
  ['X-HTTP-Method-Override', 'DELETE6.6.6.6'],
  ['X-HTTP-Method', 'DELETE6.6.6.6'],
  ['X-Method-Override', 'DELETE6.6.6.6'],
  ['Via', `1.1 ${FORGED}`],
]

/** What of a caller's headers reaches an origin, and what of its own reaches the caller. */
export const inFrontHeadersCases = (server: () => Server, origin: () => FakeOrigin): void => {
  describe('headers', () => {
    const one = (work: () => Promise<unknown>) => oneArrived(origin(), work)

    it('leaves hop-by-hop headers and those that Connection names behind, on the way there', async () => {
      const headers: [string, string][] = [
        ['Connection', 'close, X-Secret-Hop'],
        ['X-Secret-Hop', 'one'],
        ['Keep-Alive', 'timeout=71'],
        ['TE', 'trailers'],
        ['Proxy-Authorization', 'Basic YTpi'],
        ['Proxy-Connection', 'keep-alive'],
        ['X-End-To-End', 'two'],
      ]
      const { headers: seen } = await one(() => server().raw({ target: '/things', headers }))
      for (const name of ['x-secret-hop', 'keep-alive', 'te', 'proxy-authorization', 'proxy-connection']) {
        expect([name, seen[name]]).toEqual([name, undefined])
      }
      expect(seen.connection ?? '').not.toMatch(/hop|close, /i)
      expect(seen['x-end-to-end']).toBe('two')
    })

    it.each([
      [
        'named',
        [
          ['Connection', 'Upgrade, HTTP2-Settings'],
          ['Upgrade', 'h2c'],
          ['HTTP2-Settings', 'AAMAAABk'],
        ],
      ],
      ['not named', [['Upgrade', 'h2c']]],
    ] as [string, [string, string][]][])(
      'an upgrade to HTTP/2 is declined, not handed on: %s',
      async (_, headers) => {
        const { headers: seen } = await one(async () => {
          expect((await server().raw({ target: '/things', headers })).status).toBe(200)
        })
        expect(seen.upgrade).toBeUndefined()
        if (headers.length > 1) expect(seen['http2-settings']).toBeUndefined()
      },
    )

    it('keeps the cookie of the maintenance bypass to itself, and hands the others on', async () => {
      const seenOf = async (cookie: string) =>
        (await one(() => server().ask('/things', { headers: { cookie } }))).headers.cookie
      expect(await seenOf('a=1; __Host-parapet-bypass=v1.9.x; b=2')).toBe('a=1; b=2')
      expect(await seenOf('__Host-parapet-bypass=v1.9.x')).toBeUndefined()
      expect(await seenOf('my__Host-parapet-bypass=1; b="c=d"')).toBe('my__Host-parapet-bypass=1; b="c=d"')
    })

    it('and on the way back', async () => {
      const answer = await server().raw({ target: '/hop-by-hop', headers: [['Connection', 'keep-alive']] })
      expect(answer.status).toBe(200)
      expect(answer.header('x-internal-hop')).toBeUndefined()
      expect(answer.header('keep-alive') ?? '').not.toContain('71')
      expect(answer.header('proxy-authenticate')).toBeUndefined()
      expect(answer.header('connection') ?? '').not.toMatch(/hop/i)
      expect(answer.header('x-end-to-end')).toBe('two')
    })

    it('the origin cannot undo ours', async () => {
      const answer = await server().ask('/own-security')
      expect(answer.status).toBe(200)
      expectGuarded(answer)
      expect(answer.header('x-correlation-id')).not.toBe('x')
    })

    it('our word on an allowed origin of a browser stands alone, beside what it says else', async () => {
      const headers: [string, string][] = [['Origin', 'https://app.example']]
      const answer = await server().raw({ target: '/own-cors', headers })
      const said = answer.headers.filter(([name]) => name === 'access-control-allow-origin')
      expect(said).toEqual([['access-control-allow-origin', 'https://app.example']])
      expect(answer.header('vary')).toMatch(/Cookie.*Origin/)
    })

    it.each(FORGERIES)('no forged %s reaches it', async (name, value) => {
      const { rawHeaders } = await one(() => server().raw({ target: '/things', headers: [[name, value]] }))
      expect(rawHeaders.join('\n')).not.toMatch(/6\.6\.6\.6|6666/)
    })

    it('nor all of them together', async () => {
      const seen = await one(() => server().raw({ target: '/things', headers: FORGERIES }))
      expect(seen.rawHeaders.join('\n')).not.toMatch(/6\.6\.6\.6|6666/)
      expect(seen).toMatchObject({ method: 'GET', url: '/base/things' })
    })

    it('it hears our own word on where the caller came from', async () => {
      const headers: [string, string][] = [['Host', 'public.example']]
      const { headers: seen } = await one(() => server().raw({ target: '/things', headers }))
      expect(seen['x-forwarded-host']).toBe('public.example')
      expect(seen['x-forwarded-proto']).toBe('http')
      // Off its edge workerd knows no address.
      expect(seen['x-forwarded-for']).toBe(server().runtime === 'workerd' ? undefined : '127.0.0.1')
      expect(`http://${seen.host}`).toBe(origin().url)
    })

    it('it hears the ids', async () => {
      const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
      const headers = {
        'x-correlation-id': 'through-the-front',
        traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
      }
      const { headers: seen } = await one(async () => {
        const answer = await server().ask('/things', { headers })
        expect(answer.header('x-correlation-id')).toBe('through-the-front')
      })
      expect(seen['x-correlation-id']).toBe('through-the-front')
      expect(seen.traceparent).toMatch(new RegExp(`^00-${traceId}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`))
      const { headers: made } = await one(() =>
        server().raw({ target: '/things', headers: [['X-Correlation-Id', 'a b']] }),
      )
      expect(made['x-correlation-id']).toMatch(/^[0-9a-f-]{36}$/)
      expect(made.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
    })

    it.each([
      ['a bearer', [['Authorization', `Bearer ${OPERATOR_TOKEN}`]]],
      ['a key', [['X-API-Key', OPERATOR_TOKEN]]],
      [
        'both',
        [
          ['Authorization', `Bearer ${OPERATOR_TOKEN}`],
          ['X-API-Key', OPERATOR_TOKEN],
        ],
      ],
      [
        "a key beside another's token",
        [
          ['Authorization', 'Bearer a-user'],
          ['X-API-Key', OPERATOR_TOKEN],
        ],
      ],
      [
        "a bearer beside another's key",
        [
          ['Authorization', `Bearer ${OPERATOR_TOKEN}`],
          ['X-API-Key', 'a-user'],
        ],
      ],
    ] as [string, [string, string][]][])(
      "the operator's token does not reach it as %s",
      async (_, headers) => {
        const { rawHeaders } = await one(() => server().raw({ target: '/things', headers }))
        expect(rawHeaders.join('\n')).not.toContain(OPERATOR_TOKEN)
      },
    )

    it("a user's own credentials do", async () => {
      const headers = { authorization: 'Bearer a-user', cookie: 'session=1' }
      const { headers: seen } = await one(() => server().ask('/things', { headers }))
      expect(seen).toMatchObject(headers)
    })
  })
}
