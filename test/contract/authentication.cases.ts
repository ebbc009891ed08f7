import { describe, expect, it } from 'vitest'
import { expectProblem } from './expectations.ts'
import { bearer, OPERATOR_TOKEN, type Server } from './harness.ts'

type Headers = [string, string][]
const authorization = (value: string): Headers => [['Authorization', value]]
const key = (value: string): Headers => [['X-API-Key', value]]
const flipped = `${OPERATOR_TOKEN.slice(0, -1)}${OPERATOR_TOKEN.endsWith('D') ? 'E' : 'D'}`

const REFUSED: [what: string, headers: Headers][] = [
  ['nothing', []],
  ['a wrong token', authorization('Bearer wrong-but-of-a-good-length-0000')],
  ['a wrong key', key('wrong-but-of-a-good-length-0000')],
  ['one wrong character', authorization(`Bearer ${flipped}`)],
  ['the beginning of the token', authorization(`Bearer ${OPERATOR_TOKEN.slice(0, -1)}`)],
  ['the token and more', authorization(`Bearer ${OPERATOR_TOKEN}x`)],
  ['the token and padding', authorization(`Bearer ${OPERATOR_TOKEN}=`)],
  ['the token in another case', authorization(`Bearer ${OPERATOR_TOKEN.toLowerCase()}`)],
  ['the token and a NUL', authorization(`Bearer ${OPERATOR_TOKEN}%00`)],
  ['an empty token', authorization('Bearer ')],
  ['a scheme alone', authorization('Bearer')],
  ['an empty header', authorization('')],
  ['an empty key', key('')],
  ['the token without a scheme', authorization(OPERATOR_TOKEN)],
  ['another scheme', authorization(`Token ${OPERATOR_TOKEN}`)],
  ['Basic', authorization(`Basic ${btoa(`operator:${OPERATOR_TOKEN}`)}`)],
  ['two words', authorization(`Bearer ${OPERATOR_TOKEN} ${OPERATOR_TOKEN}`)],
  ['unicode', authorization('Bearer caf\xc3\xa9')],
  ['a very long token', authorization(`Bearer ${'a'.repeat(6000)}`)],
  ['undefined', authorization('Bearer undefined')],
  ['null', authorization('Bearer null')],
  ['a token without signature', authorization('Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJvcGVyYXRvciJ9.')],
  ['two different ones', [...authorization(`Bearer ${OPERATOR_TOKEN}`), ...key('another')]],
  ['two different ones, the other way', [...authorization('Bearer another'), ...key(OPERATOR_TOKEN)]],
  ['a cookie', [['Cookie', `token=${OPERATOR_TOKEN}; Authorization=Bearer ${OPERATOR_TOKEN}`]]],
  [
    'other headers',
    [
      ['X-Auth-Token', OPERATOR_TOKEN],
      ['Proxy-Authorization', `Bearer ${OPERATOR_TOKEN}`],
    ],
  ],
  [
    'claims of being somebody',
    [
      ['X-User', 'operator'],
      ['X-Forwarded-User', 'operator'],
      ['X-Internal', 'true'],
    ],
  ],
]

const ACCEPTED: [what: string, headers: Headers][] = [
  ['Bearer', authorization(`Bearer ${OPERATOR_TOKEN}`)],
  ['bearer in lower case', authorization(`bearer ${OPERATOR_TOKEN}`)],
  ['BEARER in upper case', authorization(`BEARER ${OPERATOR_TOKEN}`)],
  ['X-API-Key', key(OPERATOR_TOKEN)],
  ['x-api-key in lower case', [['x-api-key', OPERATOR_TOKEN]]],
  ['both, the same', [...authorization(`Bearer ${OPERATOR_TOKEN}`), ...key(OPERATOR_TOKEN)]],
]

const QUERIES = [
  'token',
  'access_token',
  'api_key',
  'apikey',
  'key',
  'authorization',
  'x-api-key',
  'INTERNAL_API_KEY',
]

export const authenticationCases = (server: () => Server): void => {
  describe('authentication', () => {
    it.each(REFUSED)('401 for %s', async (_, headers) => {
      const handlers = await server().handlersDuring(async () => {
        const answer = await server().raw({ target: '/closed/who', headers })
        const body = expectProblem(answer, 401, 'UNAUTHORIZED', { path: '/closed/who' })
        expect(answer.body).not.toContain(OPERATOR_TOKEN)
        expect(body.detail).not.toMatch(/operator|token.*wrong|length/i)
      })
      expect(handlers).toBe(0)
    })

    it.each(ACCEPTED)('takes %s', async (_, headers) => {
      const answer = await server().raw({ target: '/closed/who', headers })
      expect(answer.status).toBe(200)
      expect(JSON.parse(answer.body)).toEqual({ principal: 'operator' })
    })

    it('says of wrong credentials only that they are', async () => {
      const none = await server().ask('/closed/who')
      const wrong = await server().ask('/closed/who', { headers: bearer('wrong') })
      expect(none.header('www-authenticate')).not.toContain('error')
      expect(wrong.header('www-authenticate')).toContain('error="invalid_token"')
      const said = ({ body }: { body: string }) => ({
        ...JSON.parse(body),
        correlationId: 0,
        traceId: 0,
        timestamp: 0,
      })
      expect(said(wrong)).toEqual(said(none))
    })

    it.each(QUERIES)('a token in the query is none: %s', async (name) => {
      const target = `/closed/who?${name}=${OPERATOR_TOKEN}`
      const answer = await server().raw({ target })
      expectProblem(answer, 401, 'UNAUTHORIZED')
      expect(answer.body).not.toContain(OPERATOR_TOKEN)
    })

    it('nor is one in a body', async () => {
      const body = new URLSearchParams({ access_token: OPERATOR_TOKEN })
      expectProblem(await server().ask('/closed/write', { method: 'POST', body }), 401, 'UNAUTHORIZED')
    })

    it.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
      'for %s as for any other',
      async (method) => {
        const handlers = await server().handlersDuring(async () => {
          expect((await server().ask('/closed/ok', { method })).status).toBe(401)
        })
        expect(handlers).toBe(0)
        expect((await server().ask('/closed/ok', { method, headers: bearer() })).status).toBe(200)
      },
    )

    it.each([
      '/none',
      '/closed/none',
      '/closed/who/',
      '/CLOSED/who',
      '/api',
      '/closed',
      '/favicon.ico',
      '/robots.txt',
    ])('404 without a token where nothing is: %s', async (path) => {
      expectProblem(await server().ask(path), 404, 'NOT_FOUND', { path })
    })

    it('405 without a token where another method is, and which', async () => {
      const answer = await server().ask('/closed/write', { method: 'GET' })
      expectProblem(answer, 405, 'METHOD_NOT_ALLOWED')
      expect(answer.header('allow')).toBe('POST')
      const several = await server().ask('/open/write', { method: 'POST' })
      expectProblem(several, 405, 'METHOD_NOT_ALLOWED')
      expect(several.header('allow')?.split(', ').sort()).toEqual(['PATCH', 'PUT'])
      const get = await server().ask('/closed/who', { method: 'POST' })
      expectProblem(get, 405, 'METHOD_NOT_ALLOWED')
      expect(get.header('allow')?.split(', ').sort()).toEqual(['GET', 'HEAD'])
    })

    it('the same with a token', async () => {
      const headers = bearer()
      expectProblem(await server().ask('/closed/none', { headers }), 404, 'NOT_FOUND')
      expectProblem(await server().ask('/closed/write', { headers }), 405, 'METHOD_NOT_ALLOWED')
    })

    it('an open route knows who is asking, if it is somebody', async () => {
      const who = async (headers: Headers) =>
        JSON.parse((await server().raw({ target: '/open/who', headers })).body)
      expect(await who([])).toEqual({ principal: null })
      expect(await who(authorization('Bearer wrong'))).toEqual({ principal: null })
      expect(await who(authorization(`Bearer ${OPERATOR_TOKEN}`))).toEqual({ principal: 'operator' })
    })

    it.each([
      '/open/../closed/who',
      '/open/%2e%2e/closed/who',
      '/open/..;/closed/who',
      '/open%2f../closed/who',
      '/open\\..\\closed\\who',
      '//closed/who',
      '/closed//who',
      '/closed/%77ho',
      '/packages/..%2fclosed%2fwho',
      '/open/..%2fclosed/who',
    ])('no way of writing it makes it open: %s', async (target) => {
      const handlers = await server().handlersDuring(async () => {
        expect([400, 401]).toContain((await server().raw({ target })).status)
      })
      expect(handlers).toBe(0)
    })
  })
}
