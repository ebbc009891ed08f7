import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { arrivedDuring, type FakeOrigin, startFakeOrigin } from './fake-origin.ts'
import { describeServer } from './harness.ts'
import type { Runtime } from './runtimes.ts'

type Row = [what: string, headers: [string, string][], address: string | 'peer' | 'nobody']
/** As many header lines as values. */
const forwarded = (...values: string[]) => values.map((value): [string, string] => ['X-Forwarded-For', value])
const cloudflare = (...values: string[]) =>
  values.map((value): [string, string] => ['CF-Connecting-IP', value])
const anyCase = (first: string, last: string): [string, string][] => [
  ['x-FORWARDED-for', first],
  ['X-FORWARDED-FOR', last],
]
const OTHER_PEOPLES: [string, string][] = [
  ['X-Real-IP', '6.6.6.6'],
  ['X-Client-IP', '6.6.6.6'],
  ['X-Cluster-Client-IP', '6.6.6.6'],
  ['True-Client-IP', '6.6.6.6'],
  ['CF-Connecting-IP', '6.6.6.6'],
  ['Forwarded', 'for=6.6.6.6'],
]

const ONE_HOP: Row[] = [
  ['one entry', forwarded('203.0.113.7'), '203.0.113.7'],
  ['the last of several', forwarded('6.6.6.6, 198.51.100.1, 203.0.113.7'), '203.0.113.7'],
  ['the last of several headers', forwarded('6.6.6.6', '203.0.113.7'), '203.0.113.7'],
  [
    'the last of several long headers',
    forwarded('6.6.6.6, 6.6.6.6', '6.6.6.6', '203.0.113.7'),
    '203.0.113.7',
  ],
  ['the last of headers in any letter case', anyCase('6.6.6.6', '203.0.113.7'), '203.0.113.7'],
  [
    'the last of a long chain',
    forwarded([...Array(400).fill('6.6.6.6'), '203.0.113.7'].join()),
    '203.0.113.7',
  ],
  ['tabs and blanks around it', forwarded('6.6.6.6 ,\t203.0.113.7 \t'), '203.0.113.7'],
  ['a mapped address', forwarded('::ffff:203.0.113.7'), '203.0.113.7'],
  ['a mapped address in hexadecimal', forwarded('::ffff:cb00:7107'), '203.0.113.7'],
  ['a port', forwarded('203.0.113.7:4711'), '203.0.113.7'],
  ['brackets and a port', forwarded('[2001:db8::1]:4711'), '2001:db8::1'],
  ['a zone', forwarded('fe80::1%eth0'), 'fe80::1'],
  ['a long spelling', forwarded('2001:0DB8:0000:0000:0000:0000:0000:0001'), '2001:db8::1'],
  ['nothing', [], 'peer'],
  ['a word', forwarded('unknown'), 'peer'],
  ['one bad entry among good ones', forwarded('6.6.6.6, nonsense, 203.0.113.7'), 'peer'],
  ['an empty entry', forwarded('203.0.113.7,'), 'peer'],
  ['an empty header', forwarded(''), 'peer'],
  ['an empty header before it', forwarded('', '203.0.113.7'), 'peer'],
  ['an empty header behind it', forwarded('203.0.113.7', ''), 'peer'],
  ['an obfuscated identifier', forwarded('_hidden'), 'peer'],
  ['the syntax of Forwarded', forwarded('for=6.6.6.6'), 'peer'],
  ['a quoted address', forwarded('"6.6.6.6"'), 'peer'],
  ['a port that is none', forwarded('6.6.6.6:65536'), 'peer'],
  ['two zones', forwarded('fe80::1%6.6.6.6%b'), 'peer'],
  ['no-break spaces', forwarded('\xa06.6.6.6\xa0'), 'peer'],
  ['octal digits in a mapped address', forwarded('::ffff:0313.0.0161.07'), 'peer'],
  ['a compatible address, which is no mapped one', forwarded('::203.0.113.7'), '::cb00:7107'],
  ['octal digits', forwarded('0313.0.0161.07'), 'peer'],
  ['a single number', forwarded('3405803783'), 'peer'],
  ['other headers alone', OTHER_PEOPLES, 'peer'],
  ['other headers beside it', [...OTHER_PEOPLES, ...forwarded('203.0.113.7')], '203.0.113.7'],
]
const TWO_HOPS: Row[] = [
  ['two entries', forwarded('203.0.113.7, 10.0.0.1'), '203.0.113.7'],
  ['three entries', forwarded('6.6.6.6, 203.0.113.7, 10.0.0.1'), '203.0.113.7'],
  ['entries in two headers', forwarded('6.6.6.6, 203.0.113.7', '10.0.0.1'), '203.0.113.7'],
  ['too few', forwarded('6.6.6.6'), 'peer'],
]
const THREE_HOPS: Row[] = [
  ['three headers', forwarded('203.0.113.7', '10.0.0.2', '10.0.0.1'), '203.0.113.7'],
  ['too few in two headers', forwarded('6.6.6.6', '6.6.6.6'), 'peer'],
]
const TRUE: Row[] = [['the last of several headers', forwarded('6.6.6.6', '203.0.113.7'), '203.0.113.7']]
/** The peer is on loopback here, and trusted, where the runtime knows it. */
const RANGES: Row[] = [
  [
    'the first that is not trusted, from the right',
    forwarded('6.6.6.6, 203.0.113.7, 10.1.2.3'),
    '203.0.113.7',
  ],
  ['a mapped proxy', forwarded('203.0.113.7, ::ffff:10.1.2.3'), '203.0.113.7'],
  ['several headers', forwarded('6.6.6.6', '203.0.113.7', '10.1.2.3'), '203.0.113.7'],
  ['the farthest proxy, where there are only proxies', forwarded('10.9.9.9', '10.1.2.3'), '10.9.9.9'],
  ['a bad entry', forwarded('203.0.113.7, x'), 'peer'],
]
const OTHER_RANGES: Row[] = [['a forged list of a peer outside', forwarded('6.6.6.6, 10.1.2.3'), 'peer']]
const SOCKET: Row[] = [
  ['a forged list', forwarded('6.6.6.6'), 'peer'],
  ['forged lists', forwarded('6.6.6.6', '6.6.6.6'), 'peer'],
  ['other headers', OTHER_PEOPLES, 'peer'],
  ['a forged header of Cloudflare', [['CF-Connecting-IP', '6.6.6.6']], 'peer'],
]
const CLOUDFLARE: Row[] = [
  ['its own header', [['CF-Connecting-IP', '203.0.113.7']], '203.0.113.7'],
  [
    'its own, and a forged list',
    [['CF-Connecting-IP', '203.0.113.7'], ...forwarded('6.6.6.6')],
    '203.0.113.7',
  ],
  [
    'its own beside other headers',
    [...OTHER_PEOPLES.filter(([name]) => name !== 'CF-Connecting-IP'), ['CF-Connecting-IP', '203.0.113.7']],
    '203.0.113.7',
  ],
  ['nobody, where it comes twice', cloudflare('6.6.6.6', '203.0.113.7'), 'nobody'],
  ['nobody, where an empty one comes with it', cloudflare('', '6.6.6.6'), 'nobody'],
  ['nobody, where it is no address', cloudflare('unknown'), 'nobody'],
  ['nobody, where it is missing', forwarded('6.6.6.6'), 'nobody'],
]

const SETTINGS: [trust: string, rows: Row[]][] = [
  ['1', ONE_HOP],
  ['2', TWO_HOPS],
  ['3', THREE_HOPS],
  ['true', TRUE],
  ['127.0.0.0/8, 10.0.0.0/8', RANGES],
  ['10.0.0.0/8, 2001:db8::/32', OTHER_RANGES],
  ['socket', SOCKET],
  ['false', SOCKET],
  ['cloudflare', CLOUDFLARE],
]

/** Whose word on the caller's address is taken, as an origin hears it from us. */
export const clientAddressCases = (runtime: Runtime): void => {
  describe('client address', () => {
    let origin: FakeOrigin
    beforeAll(async () => {
      origin = await startFakeOrigin()
    })
    afterAll(() => origin.close())

    describe.each(SETTINGS)('by TRUST_PROXY=%s', (trust, rows) => {
      const env = () => ({ NODE_ENV: 'production', ORIGIN_URL: origin.url, TRUST_PROXY: trust })
      describeServer(
        'is',
        runtime,
        () => ({ app: 'front', env: env() }),
        (server) => {
          it.each(rows)('that of %s', async (_, headers, address) => {
            const [seen] = await arrivedDuring(origin, () => server().raw({ target: '/things', headers }))
            // workerd does not know its peer: nothing is proven then, and nothing said.
            const peer = runtime === 'workerd' ? undefined : '127.0.0.1'
            const byPeer = address === 'peer' || (runtime === 'workerd' && rows === RANGES)
            const proven = address === 'nobody' ? undefined : address
            expect(seen?.headers['x-forwarded-for']).toBe(byPeer ? peer : proven)
            expect(seen?.rawHeaders.join('\n')).not.toContain('6.6.6.6')
          })
        },
      )
    })
  })
}
