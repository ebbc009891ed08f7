import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/config.ts'
import { addressRanges, canonical, createTrust, parseTrustProxy } from '../../src/gates/client-address.ts'

type Headers = Record<string, string>
type Row = [
  what: string,
  trust: string,
  peer: string | undefined,
  headers: Headers,
  address: string | undefined,
]

/** Several values are several header lines: every runtime joins them like this. */
const forwarded = (...lines: string[]): Headers => ({ 'x-forwarded-for': lines.join(', ') })
const cloudflare = (...lines: string[]): Headers => ({ 'cf-connecting-ip': lines.join(', ') })

/** Who is calling, and who only says so. */
const CALLER = '203.0.113.9'
const FORGED = '6.6.6.6'
const PROXY = '10.0.0.1'
const STRANGER = '192.0.2.1'
const OTHER_PEOPLES = {
  'x-real-ip': FORGED,
  'x-client-ip': FORGED,
  'x-cluster-client-ip': FORGED,
  'x-original-forwarded-for': FORGED,
  'true-client-ip': FORGED,
  'fastly-client-ip': FORGED,
  'fly-client-ip': FORGED,
  'cf-connecting-ipv6': '2001:db8::6',
  'cf-pseudo-ipv4': FORGED,
  forwarded: `for=${FORGED}`,
  via: `1.1 ${FORGED}`,
}

const SOCKET: Row[] = [
  ['the peer alone', 'socket', STRANGER, {}, STRANGER],
  ['a forged list', 'socket', STRANGER, forwarded(FORGED), STRANGER],
  ['a forged list in several lines', 'socket', STRANGER, forwarded(FORGED, FORGED), STRANGER],
  ['a forged header of Cloudflare', 'socket', STRANGER, cloudflare(FORGED), STRANGER],
  ["other people's headers", 'socket', STRANGER, OTHER_PEOPLES, STRANGER],
  ['a mapped peer', 'socket', '::ffff:192.0.2.1', {}, STRANGER],
  ['a mapped peer in hexadecimal', 'socket', '::ffff:c000:201', {}, STRANGER],
  ['a peer with a zone', 'socket', 'fe80::1%eth0', {}, 'fe80::1'],
  ['no peer', 'socket', undefined, forwarded(FORGED), undefined],
  ['a peer that is a path', 'socket', '/run/api.sock', forwarded(FORGED), undefined],
  ['false is socket', 'false', PROXY, forwarded(FORGED), PROXY],
  ['False is socket', 'False', PROXY, forwarded(FORGED), PROXY],
]

const CLOUDFLARE: Row[] = [
  ['its own header', 'cloudflare', STRANGER, cloudflare(CALLER), CALLER],
  ['its own header, IPv6', 'cloudflare', STRANGER, cloudflare('2001:DB8::0:1'), '2001:db8::1'],
  ['its own header, mapped', 'cloudflare', STRANGER, cloudflare('::ffff:203.0.113.9'), CALLER],
  ['a forged list alone', 'cloudflare', STRANGER, forwarded(FORGED), undefined],
  [
    'a forged list beside it',
    'cloudflare',
    STRANGER,
    { ...cloudflare(CALLER), ...forwarded(FORGED) },
    CALLER,
  ],
  ["other people's headers alone", 'cloudflare', STRANGER, OTHER_PEOPLES, undefined],
  ["other people's beside it", 'cloudflare', STRANGER, { ...OTHER_PEOPLES, ...cloudflare(CALLER) }, CALLER],
  ['the header twice', 'cloudflare', STRANGER, cloudflare('1.1.1.1', '2.2.2.2'), undefined],
  ['the header twice, the same', 'cloudflare', STRANGER, cloudflare(CALLER, CALLER), undefined],
  ['an empty line and its own', 'cloudflare', STRANGER, cloudflare('', CALLER), undefined],
  ['an empty header', 'cloudflare', STRANGER, cloudflare(''), undefined],
  ['a word', 'cloudflare', STRANGER, cloudflare('unknown'), undefined],
  ['no header, and no falling back to the peer', 'cloudflare', STRANGER, {}, undefined],
  [
    'another Worker of the same network',
    'cloudflare',
    undefined,
    cloudflare('2a06:98c0:3600::103'),
    '2a06:98c0:3600::103',
  ],
]

const ONE_HOP: Row[] = [
  ['the entry that the proxy wrote', '1', PROXY, forwarded(CALLER), CALLER],
  ['a forged entry before it', '1', PROXY, forwarded(`${FORGED}, ${CALLER}`), CALLER],
  ['a forged line before it', '1', PROXY, forwarded(FORGED, CALLER), CALLER],
  ['several forged lines', '1', PROXY, forwarded(`${FORGED}, ${FORGED}`, FORGED, CALLER), CALLER],
  ['a long forged chain', '1', PROXY, forwarded(...Array<string>(500).fill(FORGED), CALLER), CALLER],
  ['a forged entry that is the proxy', '1', PROXY, forwarded(PROXY, CALLER), CALLER],
  ['a caller who claims loopback', '1', PROXY, forwarded('127.0.0.1', CALLER), CALLER],
  ['no header', '1', PROXY, {}, PROXY],
  ['an empty header', '1', PROXY, forwarded(''), PROXY],
  ['blanks', '1', PROXY, forwarded(' \t '), PROXY],
  ['commas', '1', PROXY, forwarded(',,'), PROXY],
  ['an empty last entry', '1', PROXY, forwarded(`${CALLER},`), PROXY],
  ['an empty first entry', '1', PROXY, forwarded(`,${CALLER}`), PROXY],
  ['an empty line first', '1', PROXY, forwarded('', CALLER), PROXY],
  ['an empty line last', '1', PROXY, forwarded(CALLER, ''), PROXY],
  ['a malformed last entry', '1', PROXY, forwarded(`${CALLER}, garbage`), PROXY],
  ['a malformed entry among good ones', '1', PROXY, forwarded(`${FORGED}, garbage, ${CALLER}`), PROXY],
  ['semicolons', '1', PROXY, forwarded(`${FORGED}; ${CALLER}`), PROXY],
  ['blanks for commas', '1', PROXY, forwarded(`${FORGED} ${CALLER}`), PROXY],
  ['unknown', '1', PROXY, forwarded('unknown'), PROXY],
  ['an obfuscated identifier', '1', PROXY, forwarded('_hidden'), PROXY],
  ['the syntax of Forwarded', '1', PROXY, forwarded(`for=${CALLER}`), PROXY],
  ['the syntax of Forwarded, quoted', '1', PROXY, forwarded('for="[2001:db8::1]:80"'), PROXY],
  ['quotes', '1', PROXY, forwarded(`"${CALLER}"`), PROXY],
  ['a host name', '1', PROXY, forwarded('localhost'), PROXY],
  ['a range', '1', PROXY, forwarded('203.0.113.0/24'), PROXY],
  ['a port', '1', PROXY, forwarded(`${CALLER}:4711`), CALLER],
  ['a port that is none', '1', PROXY, forwarded(`${CALLER}:65536`), PROXY],
  ['brackets and a port', '1', PROXY, forwarded('[2001:db8::1]:443'), '2001:db8::1'],
  ['brackets left open', '1', PROXY, forwarded('[2001:db8::1'), PROXY],
  ['a zone', '1', PROXY, forwarded('fe80::1%eth0'), 'fe80::1'],
  ['two zones', '1', PROXY, forwarded('fe80::1%a%b'), PROXY],
  ['tabs and blanks around entries', '1', PROXY, forwarded(`\t${FORGED} ,\t ${CALLER}\t`), CALLER],
  ['a mapped entry', '1', PROXY, forwarded('::ffff:203.0.113.9'), CALLER],
  ['a mapped entry, long', '1', PROXY, forwarded('0:0:0:0:0:FFFF:CB00:7109'), CALLER],
  ['octal digits', '1', PROXY, forwarded('0313.0.0161.011'), PROXY],
  ['hexadecimal digits', '1', PROXY, forwarded('0xcb.0x0.0x71.0x9'), PROXY],
  ['one number', '1', PROXY, forwarded('3405803785'), PROXY],
  ['two numbers', '1', PROXY, forwarded('203.7369'), PROXY],
  ['octal digits in a mapped entry', '1', PROXY, forwarded('::ffff:0313.0.0161.011'), PROXY],
  ["other people's headers alone", '1', PROXY, { ...OTHER_PEOPLES, ...cloudflare(FORGED) }, PROXY],
  [
    "other people's beside it",
    '1',
    PROXY,
    { ...OTHER_PEOPLES, ...cloudflare(FORGED), ...forwarded(CALLER) },
    CALLER,
  ],
  ['true is one hop', 'true', PROXY, forwarded(`${FORGED}, ${CALLER}`), CALLER],
  ['TRUE is one hop', 'TRUE', PROXY, forwarded(`${FORGED}, ${CALLER}`), CALLER],
  ['a malformed list and no peer', '1', undefined, forwarded('garbage'), undefined],
]

const MORE_HOPS: Row[] = [
  ['two hops, two entries', '2', PROXY, forwarded(`${CALLER}, 10.0.0.2`), CALLER],
  ['two hops, one forged entry more', '2', PROXY, forwarded(`${FORGED}, ${CALLER}, 10.0.0.2`), CALLER],
  ['two hops in two lines', '2', PROXY, forwarded(`${FORGED}, ${CALLER}`, '10.0.0.2'), CALLER],
  ['two hops, too short', '2', PROXY, forwarded(CALLER), PROXY],
  ['two hops, no header', '2', PROXY, {}, PROXY],
  ['two hops, a malformed last entry', '2', PROXY, forwarded(`${CALLER}, _hidden`), PROXY],
  ['three hops, three entries', '3', PROXY, forwarded(`${CALLER}, 10.0.0.3, 10.0.0.2`), CALLER],
  [
    'three hops, a long forged chain',
    '3',
    PROXY,
    forwarded(...Array<string>(500).fill(FORGED), CALLER, '10.0.0.3', '10.0.0.2'),
    CALLER,
  ],
  ['three hops, too short', '3', PROXY, forwarded(`${FORGED}, ${FORGED}`), PROXY],
]

const RANGES: Row[] = [
  [
    'the first stranger from the right',
    '10.0.0.0/8',
    PROXY,
    forwarded(`${FORGED}, ${CALLER}, 10.1.2.3`),
    CALLER,
  ],
  [
    'proxies that come and go',
    '10.0.0.0/8',
    PROXY,
    forwarded(`${CALLER}, 10.1.2.3, 10.4.5.6, 10.7.8.9`),
    CALLER,
  ],
  [
    'a caller who claims to be a proxy',
    '10.0.0.0/8',
    PROXY,
    forwarded(`10.9.9.9, ${CALLER}, 10.1.2.3`),
    CALLER,
  ],
  ['several lines', '10.0.0.0/8', PROXY, forwarded(FORGED, CALLER, '10.1.2.3'), CALLER],
  ['a peer that is no proxy', '10.0.0.0/8', STRANGER, forwarded(CALLER), STRANGER],
  [
    'a peer that is no proxy, and names one',
    '10.0.0.0/8',
    STRANGER,
    forwarded(`${FORGED}, 10.1.2.3`),
    STRANGER,
  ],
  ['no peer', '10.0.0.0/8', undefined, forwarded(CALLER), undefined],
  ['proxies only: the farthest', '10.0.0.0/8', PROXY, forwarded('10.0.0.3, 10.0.0.2'), '10.0.0.3'],
  ['no header: the proxy itself', '10.0.0.0/8', PROXY, {}, PROXY],
  ['an empty header', '10.0.0.0/8', PROXY, forwarded(''), PROXY],
  ['a malformed entry', '10.0.0.0/8', PROXY, forwarded(`${CALLER}, x`), PROXY],
  ['a malformed entry before the caller', '10.0.0.0/8', PROXY, forwarded(`x, ${CALLER}`), PROXY],
  ['a mapped peer', '10.0.0.0/8', '::ffff:10.0.0.1', forwarded(CALLER), CALLER],
  ['a mapped proxy in the list', '10.0.0.0/8', PROXY, forwarded(`${CALLER}, ::ffff:10.1.2.3`), CALLER],
  ['a mapped proxy in hexadecimal', '10.0.0.0/8', PROXY, forwarded(`${CALLER}, ::ffff:a01:203`), CALLER],
  ['a mapped range', '::ffff:10.0.0.0/104', PROXY, forwarded(CALLER), CALLER],
  ['a range beside it by bits', '::10.0.0.0/104', PROXY, forwarded(FORGED), PROXY],
  ['an address for a range', '10.0.0.1', PROXY, forwarded(`${FORGED}, ${CALLER}`), CALLER],
  ['an address for a range, another peer', '10.0.0.1', '10.0.0.2', forwarded(FORGED), '10.0.0.2'],
  ['a range within an octet, inside', '10.0.0.0/30', '10.0.0.3', forwarded(CALLER), CALLER],
  ['a range within an octet, outside', '10.0.0.0/30', '10.0.0.4', forwarded(FORGED), '10.0.0.4'],
  ['IPv6', '2001:db8::/32', '2001:db8::1', forwarded('2001:0DB9:0::1'), '2001:db9::1'],
  ['IPv6, outside', '2001:db8::/32', '2001:db9::1', forwarded(FORGED), '2001:db9::1'],
  [
    'IPv6 in brackets',
    '2001:db8::/32',
    '2001:db8::1',
    forwarded('[2001:db9::1]:80, [2001:db8::2]:80'),
    '2001:db9::1',
  ],
  ['both kinds', '10.0.0.0/8, 2001:db8::/32', PROXY, forwarded(`${CALLER}, 2001:db8::2`), CALLER],
  [
    'both kinds, the peer of the other',
    '10.0.0.0/8, 2001:db8::/32',
    '2001:db8::1',
    forwarded(`${CALLER}, 10.1.2.3`),
    CALLER,
  ],
  ['all of IPv6 is none of IPv4', '::/0', PROXY, forwarded(FORGED), PROXY],
  ["other people's headers alone", '10.0.0.0/8', PROXY, { ...OTHER_PEOPLES, ...cloudflare(FORGED) }, PROXY],
]

describe.each([
  ['the socket', SOCKET],
  ['Cloudflare', CLOUDFLARE],
  ['one proxy', ONE_HOP],
  ['several proxies', MORE_HOPS],
  ['proxies in ranges', RANGES],
])('the word of %s is taken', (_, rows) => {
  test.each(rows)('%s (%s, peer %s)', (_, trust, peer, headers, address) => {
    const { config, problems } = loadConfig({ NODE_ENV: 'test', TRUST_PROXY: trust })
    expect(problems).toEqual([])
    const visit = { peer, header: (name: string) => headers[name] }
    expect(createTrust(parseTrustProxy(config.TRUST_PROXY as string)).address(visit)).toBe(address)
  })
})

describe('an address in its one spelling', () => {
  test.each([
    ['1.2.3.4', '1.2.3.4'],
    ['1.2.3.4:8080', '1.2.3.4'],
    ['1.2.3.4:0', '1.2.3.4'],
    ['1.2.3.4:65535', '1.2.3.4'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[fe80::1%eth0]:443', 'fe80::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['fe80::1%25eth0', 'fe80::1'],
    ['FE80::00A', 'fe80::a'],
    ['2001:DB8:0:0::0001', '2001:db8::1'],
    ['2001:db8:0:1:0:0:0:1', '2001:db8:0:1::1'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::', '::'],
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['::FFFF:1.2.3.4%eth0', '1.2.3.4'],
    ['[::ffff:1.2.3.4]:80', '1.2.3.4'],
    ['::ffff:102:304', '1.2.3.4'],
    ['0:0:0:0:0:ffff:1.2.3.4', '1.2.3.4'],
    // Other forms that hold an IPv4 address are addresses of their own.
    ['::1.2.3.4', '::102:304'],
    ['::102:304', '::102:304'],
    ['::ffff:0:1.2.3.4', '::ffff:0:102:304'],
    ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
    ['2002:102:304::1', '2002:102:304::1'],
  ])('%s is %s', (written, expected) => {
    expect(canonical(written)).toBe(expected)
  })

  test.each([
    ...[
      '',
      ' ',
      ':',
      ':::',
      '[]',
      '[]:80',
      '%eth0',
      'unknown',
      '_hidden',
      'localhost',
      '"1.2.3.4"',
      'for=1.2.3.4',
    ],
    ...[
      '0177.1',
      '0x7f.1',
      '127.1',
      '2130706433',
      '0x7f000001',
      '0177.0.0.1',
      '0x7f.0.0.1',
      '01.2.3.4',
      '1.2.3.08',
    ],
    ...[
      '1.2.3',
      '1.2.3.4.5',
      '1.2.3.4.',
      '256.1.1.1',
      '1.2.3.1000',
      '+1.2.3.4',
      '1.2.3.4/32',
      '1.2.3.4 5.6.7.8',
    ],
    ...[
      '1.2.3.4:',
      '1.2.3.4:65536',
      '1.2.3.4:99999',
      '1.2.3.4:1:1',
      '1.2.3.4:x',
      '[1.2.3.4]',
      '[1.2.3.4]:80',
      '1.2.3.4%eth0',
    ],
    ...[
      '[::1',
      '::1]',
      '[[::1]]',
      '[::1]:',
      '[::1]:65536',
      '[::1]%eth0',
      '[::1]x',
      'fe80::1%',
      'fe80::1%a%b',
      'fe80::1%a b',
    ],
    ...[
      '1::2::3',
      '12345::',
      '00001::',
      'g::',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
      '1:2:3:4:5:6:7:8::',
      '2001:db8:::1',
    ],
    ...[
      '::ffff:1.2.3',
      '::ffff:1.2.3.256',
      '::ffff:0177.0.0.1',
      '::ffff:0x7f.0.0.1',
      '::ffff:1.2.3.4:80',
      '1.2.3.4::',
      '::0177.0.0.1',
    ],
    ...['１.2.3.4', '1。2.3.4', '\u00a01.2.3.4', '1.2.3.4\u2028', '1.2.3.4\u0000', '1.2.3.4\n', '::1/128'],
  ])('%j is none', (written) => {
    expect(canonical(written)).toBeUndefined()
  })

  test('is found in a whole header of them at once', () => {
    const list = Array<string>(4000).fill('::1').join(',')
    const blanks = `1.1.1.1,${'\t'.repeat(16_000)}x`
    for (const header of [list, blanks, ':'.repeat(16_000), '1.'.repeat(8000), `[${'f:'.repeat(8000)}`]) {
      const began = performance.now()
      createTrust({ hops: 1 }).address({ peer: PROXY, header: () => header })
      expect(performance.now() - began, header.slice(0, 20)).toBeLessThan(50)
    }
  })
})

describe('whom to let pass', () => {
  test.each<[what: string, trust: string, peer: string, headers: Headers, proven: string | undefined]>([
    ['a caller of whom the list speaks', '1', PROXY, forwarded(`${FORGED}, ${CALLER}`), CALLER],
    ['one who calls without a proxy', '1', PROXY, {}, PROXY],
    ['nobody, where a caller made the list unreadable', '1', PROXY, forwarded(`x, ${CALLER}`), undefined],
    ['nobody, where the list is empty', '1', PROXY, forwarded(''), undefined],
    ['nobody, where a proxy was left out', '2', PROXY, forwarded(CALLER), undefined],
    ['a caller behind two proxies', '2', PROXY, forwarded(`${CALLER}, 10.0.0.2`), CALLER],
    ['a caller behind known proxies', '10.0.0.0/8', PROXY, forwarded(CALLER), CALLER],
    ['a proxy that calls itself', '10.0.0.0/8', PROXY, {}, PROXY],
    [
      'nobody, where known proxies pass on what cannot be read',
      '10.0.0.0/8',
      PROXY,
      forwarded(`x, ${CALLER}`),
      undefined,
    ],
    ['a stranger who is no proxy, whatever the list', '10.0.0.0/8', STRANGER, forwarded('x'), STRANGER],
    ['the peer', 'socket', STRANGER, {}, STRANGER],
    [
      'nobody where a proxy forwards that we were not told of',
      'socket',
      PROXY,
      forwarded(STRANGER),
      undefined,
    ],
    ['nobody whom Cloudflare does not name', 'cloudflare', STRANGER, {}, undefined],
    ['whom Cloudflare names', 'cloudflare', STRANGER, cloudflare(CALLER), CALLER],
  ])('%s (%s)', (_, trust, peer, headers, proven) => {
    const visit = { peer, header: (name: string) => headers[name] }
    expect(createTrust(parseTrustProxy(trust)).proven(visit)).toBe(proven)
  })
})

test('ranges hold addresses by their bits', () => {
  const isWithin = addressRanges(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32', '::ffff:172.16.0.0/108'])
  const inside = ['10.1.2.3', '::ffff:10.1.2.3', '[2001:db8::1]:80', '192.0.2.7', '172.31.0.1']
  expect(inside.filter(isWithin)).toEqual(inside)
  expect(
    ['11.0.0.0', '192.0.2.8', '2001:db9::', '172.32.0.1', '::10.1.2.3', 'x', undefined].filter(isWithin),
  ).toEqual([])
})

test('other forwarded headers are believed only of a trusted proxy', () => {
  const visit = (peer: string) => ({ peer, header: () => undefined })
  expect(createTrust('socket').proxied(visit('10.0.0.1'))).toBe(false)
  expect(createTrust({ hops: 1 }).proxied(visit('10.0.0.1'))).toBe(true)
  expect(createTrust({ ranges: ['10.0.0.0/8'] }).proxied(visit('10.0.0.1'))).toBe(true)
  expect(createTrust({ ranges: ['10.0.0.0/8'] }).proxied(visit('192.0.2.1'))).toBe(false)
})
