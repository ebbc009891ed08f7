import { describe, expect, it } from 'vitest'
import { expectProblem, expectRuntimesOwn } from './expectations.ts'
import type { Server } from './harness.ts'
import { openRaw, type RawRequest } from './raw-http.ts'
import type { Runtime } from './runtimes.ts'

/**
 * What a runtime does before any code of ours, where it differs from the contract's 400: it answers by itself
 * with a status (0: hangs up), or rewrites the target, so that the path it makes of it is judged instead.
 */
type Own = { status: number } | { reads: string }
type Row = [what: string, target: string, own?: Partial<Record<Runtime, Own>>]

const bunReads = (reads: string) => ({ bun: { reads } })
const bunAndWorkerd = (own: Own) => ({ bun: own, workerd: own })

const TARGETS: Row[] = [
  // Bun resolves dot segments, also encoded ones, and turns backslashes.
  ['a dot segment', '/open/path/a/./b', bunReads('/open/path/a/b')],
  ['two dots', '/open/path/a/../b', bunReads('/open/path/b')],
  ['two dots at the end', '/open/path/a/b/..', bunReads('/open/path/a/')],
  ['dots that climb out', '/../../open/path/b', bunReads('/open/path/b')],
  ['an encoded dot', '/open/path/a/%2e/b', bunReads('/open/path/a/b')],
  ['encoded dots', '/open/path/a/%2e%2e/b', bunReads('/open/path/b')],
  ['half-encoded dots', '/open/path/a/.%2E/b', bunReads('/open/path/b')],
  ['a backslash', '/open/path/a\\b', bunReads('/open/path/a/b')],
  ['dots behind a backslash', '/open/path/a\\..\\b', bunReads('/open/path/b')],
  ['an encoded dot in a name', '/open/path/a%2ejson'],
  ['dots and a parameter', '/open/path/..;/b'],
  ['dots and a parameter with a value', '/open/path/a/..;x=1/b'],
  ['an encoded slash', '/open/path/a%2fb'],
  ['an encoded slash in upper case', '/open/path/a%2Fb'],
  ['dots behind an encoded slash', '/open/path/a%2f..%2fb'],
  ['an encoded backslash', '/open/path/a%5cb'],
  ['an encoded backslash in upper case', '/open/path/a%5Cb'],
  ['an empty segment', '/open//path/b'],
  ['an empty segment first', '//open/path/b'],
  ['an empty segment last', '/open/path/b//'],
  ['many of them', '////open////ok'],
  ['NUL', '/open/path/%00'],
  ['an encoded percent', '/open/path/%25'],
  ['an encoded encoding', '/open/path/%252e%252e'],
  ['an encoded line feed', '/open/path/a%0ab'],
  ['an encoded line break', '/open/path/a%0d%0aX-Injected:%20yes'],
  ['an encoded tab', '/open/path/a%09b'],
  ['an encoded escape', '/open/path/a%1bb'],
  ['an encoded DEL', '/open/path/a%7fb'],
  ['percent and no digits', '/open/path/%zz'],
  ['percent alone', '/open/path/%'],
  ['percent and one digit', '/open/path/%f'],
  ['percent u', '/open/path/%u0041'],
  ['half a character', '/open/path/%c3'],
  ['an overlong dot', '/open/path/%c0%ae'],
  ['an overlong slash', '/open/path/%c0%af'],
  ['a surrogate', '/open/path/%ed%a0%80'],
  ['bytes that are no UTF-8', '/open/path/%ff%fe'],
  // Bun encodes what is not ASCII, and puts U+FFFD for what is not UTF-8.
  ['raw UTF-8', '/open/path/\xc3\xa9', bunReads('/open/path/é')],
  ['raw bytes', '/open/path/\xff', { ...bunReads('/open/path/\ufffd'), workerd: { status: 400 } }],
  ['a tab', '/open/path/a\tb', { bun: { status: 505 }, workerd: { status: 400 } }],
  ['a control character', '/open/path/a\x01b', { bun: { status: 505 }, workerd: { status: 400 } }],
  ['DEL', '/open/path/a\x7fb', { workerd: { status: 400 } }],
  ['a space', '/open/path/a b', { bun: { status: 505 }, workerd: { status: 400 } }],
  ['a quote', '/open/path/a"b', bunReads('/open/path/a"b')],
  ['angle brackets', '/open/path/<b>', { ...bunReads('/open/path/<b>'), workerd: { status: 400 } }],
  ['a brace', '/open/path/{b}', bunReads('/open/path/{b}')],
  ['a fragment', '/open/path/a#b', { workerd: { reads: '/open/path/a' } }],
  ['bytes in the query', '/open/path/a?b=\xff', { bun: { reads: '/open/path/a' }, workerd: { status: 400 } }],
  ['no slash', 'open/ok', { bun: { status: 400 }, workerd: { status: 400 } }],
  ['a backslash first', '\\open\\ok', { bun: { status: 400 }, workerd: { status: 400 } }],
  ['an asterisk', '*', { bun: { status: 400 } }],
  // Bun and workerd drop the authority of an absolute target and go by Host, so that there is no second reading.
  ['another host', 'http://evil.example/open/path/a', bunAndWorkerd({ reads: '/open/path/a' })],
  ['another port', 'http://127.0.0.1:1/open/path/a', bunAndWorkerd({ reads: '/open/path/a' })],
  ['a user', 'http://user@HOST/open/path/a', bunAndWorkerd({ reads: '/open/path/a' })],
  [
    'a scheme of its own',
    'ftp://HOST/open/path/a',
    { bun: { status: 400 }, workerd: { reads: '/open/path/a' } },
  ],
  ['a host and dots', 'http://HOST/open/path/a/../b', bunReads('/open/path/b')],
  ['a host and an encoded slash', 'http://HOST/open/path/a%2fb'],
]

/** Refused 405, but for methods that a runtime's own parser does not know. */
const METHODS: Row[] = [
  ['TRACE', 'TRACE'],
  ['CONNECT', 'CONNECT', { workerd: { status: 500 } }],
  ['PROPFIND', 'PROPFIND'],
  ['PURGE', 'PURGE'],
  ['SEARCH', 'SEARCH'],
  ['LINK', 'LINK', { workerd: { status: 501 } }],
  ['a made-up one', 'FOO', { bun: { status: 0 }, workerd: { status: 501 } }],
  ['TRACK', 'TRACK', { bun: { status: 0 }, workerd: { status: 501 } }],
  ['lower case', 'get', { bun: { status: 0 }, workerd: { status: 501 } }],
  ['a method and more', 'GETX', { bun: { status: 0 }, workerd: { status: 501 } }],
]

const HOSTS: Row[] = [
  ['a slash', 'a/b'],
  ['a path', '127.0.0.1/../..'],
  ['a question mark', 'a?b'],
  ['a fragment', 'a#b'],
  ['a space', 'a b'],
  ['a tab', 'a\tb'],
  ['a backslash', 'a\\b'],
  ['a user', 'user@127.0.0.1'],
  ['a port that is none', '127.0.0.1:x'],
  ['a port out of range', '127.0.0.1:99999'],
  ['an empty port', '127.0.0.1:'],
  ['two ports', '127.0.0.1:80:80'],
  ['an open bracket', '[::1'],
  ['IPv6 without brackets', '::1'],
  ['a comma', 'a,b'],
  ['a percent', 'a%2fb'],
  ['a hyphen first', '-a'],
  ['unicode', 'caf\xc3\xa9', { workerd: { status: 400 } }],
  ['nothing in it', '', { workerd: { status: 400 } }],
  ['markup', '<script>'],
]

const TWICE: [what: string, headers: [string, string][]][] = [
  ['two different hosts', [['Host', 'a'], ['Host', 'b']]],
  ['the same host twice', [['Host', 'a'], ['Host', 'a']]],
  ['two tokens', [['Authorization', 'Bearer a'], ['Authorization', 'Bearer b']]],
  ['a token twice', [['Authorization', 'Bearer a'], ['Authorization', 'Bearer a']]],
  ['Basic, then Bearer', [['Authorization', 'Basic YTpi'], ['Authorization', 'Bearer b']]],
  ['Bearer, then Basic', [['Authorization', 'Bearer b'], ['Authorization', 'Basic YTpi']]],
  ['two names in different case', [['authorization', 'Bearer a'], ['AUTHORIZATION', 'Bearer b']]],
  ['two keys', [['X-API-Key', 'a'], ['X-API-Key', 'b']]],
  ['two origins', [['Origin', 'https://a.example'], ['Origin', 'https://b.example']]],
] // biome-ignore format: a table

const FINE: [what: string, target: string, path: string][] = [
  ['encoded UTF-8', '/open/path/caf%C3%A9', '/open/path/café'],
  ['an encoded space', '/open/path/a%20b', '/open/path/a b'],
  ['an encoded letter', '/open/path/%61', '/open/path/a'],
  ['an encoded question mark', '/open/path/a%3fb', '/open/path/a?b'],
  ['a parameter', '/open/path/a;v=1', '/open/path/a;v=1'],
  ['what RFC 3986 allows', "/open/path/~a!$&'()*+,=:@-._", "/open/path/~a!$&'()*+,=:@-._"],
  ['three dots', '/open/path/...', '/open/path/...'],
  ['a hidden file', '/open/path/.env', '/open/path/.env'],
  ['dots in a name', '/open/path/a..b', '/open/path/a..b'],
  ['anything in the query', '/open/path/a?b=../..//%2f%5c%00&c=%zz', '/open/path/a'],
  ['an empty query', '/open/path/a?', '/open/path/a'],
  ['a slash at the end', '/open/path/a/', '/open/path/a/'],
  ['its own host', 'http://HOST/open/path/a', '/open/path/a'],
  ['its own host and another scheme', 'https://HOST/open/path/a', '/open/path/a'],
  ['a long path', `/open/path/${'a'.repeat(8000)}`, `/open/path/${'a'.repeat(8000)}`],
]

export const canonicalRequestCases = (server: () => Server): void => {
  describe('canonical request', () => {
    const withHost = (target: string) => target.replace('HOST', `127.0.0.1:${server().port}`)

    const expectRefused = async (request: RawRequest, own: Own | undefined, methods = false) => {
      if (own && 'reads' in own) {
        const answer = await server().raw(request)
        expect(answer.status).toBe(200)
        return void expect(JSON.parse(answer.body).path).toBe(own.reads)
      }
      const handlers = await server().handlersDuring(async () => {
        const answer = await server().raw(request)
        if (own) expectRuntimesOwn(answer, own.status)
        else if (methods) expectProblem(answer, 405, 'METHOD_NOT_ALLOWED')
        else expectProblem(answer, 400, 'BAD_REQUEST_TARGET')
      })
      expect(handlers).toBe(0)
    }

    it.each(TARGETS)('refuses in a target: %s', (_, target, own) =>
      expectRefused({ target: withHost(target) }, own?.[server().runtime]),
    )

    it.each(METHODS)('refuses a method: %s', (_, method, own) =>
      expectRefused({ method, target: '/open/ok' }, own?.[server().runtime], true),
    )

    it('refuses CONNECT to another host', () =>
      expectRefused(
        { method: 'CONNECT', target: 'example.com:443' },
        { node: undefined, bun: undefined, workerd: { status: 500 } }[server().runtime],
        true,
      ))

    it('refuses OPTIONS of an asterisk', () =>
      expectRefused(
        { method: 'OPTIONS', target: '*' },
        { node: undefined, bun: { status: 400 }, workerd: undefined }[server().runtime],
      ))

    it.each(HOSTS)('refuses a Host with %s', (_, host, own) =>
      expectRefused({ target: '/open/ok', headers: [['Host', host]] }, own?.[server().runtime]),
    )

    it.each(TWICE)('refuses %s', (_, headers) => expectRefused({ target: '/open/ok', headers }, undefined))

    it.each(['1.1', '1.0'])('refuses HTTP/%s without a Host, however it is read', async (version) => {
      // Each target holds another one behind its first segments, for who cuts a missing host off by counting.
      for (const target of [
        '/open/ok',
        '/a/open/closed/who',
        '/open/api/seed',
        '/a/b/api/seed',
        '/a/livez',
      ]) {
        const connection = await openRaw(server().port)
        const handlers = await server().handlersDuring(async () => {
          connection.write(`GET ${target} HTTP/${version}\r\nConnection: close\r\n\r\n`)
          const answer = await connection.answer()
          const own = server().runtime === 'workerd' || (server().runtime === 'bun' && version === '1.1')
          if (own) expectRuntimesOwn(answer, 400)
          else expectProblem(answer, 400, 'BAD_REQUEST_TARGET')
        })
        expect(handlers).toBe(0)
      }
    })

    it.each([
      ['garbage', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', { bun: 400, workerd: 400 }],
      ['HTTP/0.9', 'GET /open/ok\r\n\r\n', { bun: 505, workerd: 400 }],
      ['a bad header name', 'GET /open/ok HTTP/1.1\r\nHost: a\r\nX Y: z\r\n\r\n', { bun: 400, workerd: 400 }],
      [
        'NUL in a header',
        'GET /open/ok HTTP/1.1\r\nHost: a\r\nX-Y: a\0b\r\n\r\n',
        { bun: 400, workerd: 400 },
      ],
      [
        'a folded header',
        'GET /open/ok HTTP/1.1\r\nHost: a\r\nX-Y: a\r\n b\r\n\r\n',
        { bun: 400, workerd: 400 },
      ],
      [
        'two lengths',
        'POST /open/bytes HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
        { bun: 400, workerd: 400 },
      ],
      [
        'a negative length',
        'POST /open/bytes HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nab',
        { bun: 400, workerd: 400 },
      ],
    ])('answers what is no request: %s', async (_, data, own: Partial<Record<Runtime, number>>) => {
      const handlers = await server().handlersDuring(async () => {
        const connection = await openRaw(server().port)
        connection.write(data)
        const answer = await connection.answer()
        const status = own[server().runtime]
        if (status === undefined) expectProblem(answer, 400, 'BAD_REQUEST_TARGET')
        else expectRuntimesOwn(answer, status)
      })
      expect(handlers).toBe(0)
      expect((await server().ask('/open/ok')).status).toBe(200)
    })

    it('answers an expectation that it does not know in its own words, or ignores it', async () => {
      const headers: [string, string][] = [['Expect', '200-maybe']]
      const answer = await server().raw({ method: 'POST', target: '/open/bytes', headers, body: 'ab' })
      expect(answer.header('x-content-type-options')).toBe('nosniff')
    })

    it.each(FINE)('lets through: %s', async (_, target, path) => {
      const answer = await server().raw({ target: withHost(target) })
      expect(answer.status, answer.body).toBe(200)
      expect(JSON.parse(answer.body).path).toBe(path)
    })

    it.each(['EXAMPLE.com', 'localhost:80', '[::1]', '[::1]:8080', 'a_b.example', 'example.com.'])(
      'takes %s for a Host',
      async (host) => {
        expect((await server().raw({ target: '/open/ok', headers: [['Host', host]] })).status).toBe(200)
      },
    )

    it('takes encoded slashes where they are allowed, and decodes them once', async () => {
      const answer = await server().raw({ target: '/packages/@scope%2Fname' })
      expect(JSON.parse(answer.body)).toEqual({ name: '@scope/name' })
    })

    it.each([
      '/packages/a%2f%2fb',
      '/packages/a%2f..',
      '/packages/a%2f..%2fb',
      '/packages/a%2f%2e%2e%2fb',
      '/packages/a%252fb',
      '/packages/a%5cb',
      '/packages/%2f..%2fapi%2fseed',
    ])('refuses even there: %s', (target) => expectRefused({ target }, undefined))
  })
}
