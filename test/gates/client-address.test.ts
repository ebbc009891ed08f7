import { describe, expect, test } from 'vitest'
import { canonical, createTrust, parseTrustProxy } from '../../src/gates/client-address.ts'

const visit = (peer: string | undefined, headers: Record<string, string> = {}) => ({
  peer,
  header: (name: string) => headers[name],
})
const forwarded = (list: string) => ({ 'x-forwarded-for': list })

describe('the address', () => {
  test.each<
    [trust: string, peer: string | undefined, headers: Record<string, string>, address: string | undefined]
  >([
    ['socket', '192.0.2.1', forwarded('6.6.6.6'), '192.0.2.1'],
    ['socket', '192.0.2.1', { 'cf-connecting-ip': '6.6.6.6' }, '192.0.2.1'],
    ['socket', '::ffff:192.0.2.1', {}, '192.0.2.1'],
    ['socket', undefined, forwarded('6.6.6.6'), undefined],
    ['cloudflare', '192.0.2.1', { 'cf-connecting-ip': '203.0.113.9' }, '203.0.113.9'],
    ['cloudflare', '192.0.2.1', forwarded('6.6.6.6'), undefined],
    ['cloudflare', '192.0.2.1', { 'cf-connecting-ip': '1.1.1.1, 2.2.2.2' }, undefined],
    ['1', '10.0.0.1', forwarded('6.6.6.6, 203.0.113.9'), '203.0.113.9'],
    ['2', '10.0.0.1', forwarded('6.6.6.6, 203.0.113.9, 10.0.0.2'), '203.0.113.9'],
    ['2', '10.0.0.1', forwarded('203.0.113.9'), '10.0.0.1'],
    ['1', '10.0.0.1', forwarded('203.0.113.9, garbage'), '10.0.0.1'],
    ['1', '10.0.0.1', forwarded(''), '10.0.0.1'],
    ['1', '10.0.0.1', {}, '10.0.0.1'],
    ['true', '10.0.0.1', forwarded('6.6.6.6, 203.0.113.9'), '203.0.113.9'],
    ['false', '10.0.0.1', forwarded('6.6.6.6'), '10.0.0.1'],
    ['10.0.0.0/8', '10.0.0.1', forwarded('6.6.6.6, 203.0.113.9, 10.1.2.3'), '203.0.113.9'],
    ['10.0.0.0/8', '192.0.2.1', forwarded('203.0.113.9'), '192.0.2.1'],
    ['10.0.0.0/8', '10.0.0.1', forwarded('10.0.0.3, 10.0.0.2'), '10.0.0.3'],
    ['::ffff:10.0.0.0/104', '10.0.0.1', forwarded('203.0.113.9'), '203.0.113.9'],
    ['2001:db8::/32', '2001:db8::1', forwarded('2001:0DB9:0::1'), '2001:db9::1'],
  ])('trust %s, peer %s, %j → %s', (trust, peer, headers, address) => {
    const { TRUST } = { TRUST: { true: '1', false: 'socket' }[trust] ?? trust }
    expect(createTrust(parseTrustProxy(TRUST)).address(visit(peer, headers))).toBe(address)
  })

  test.each([
    ['1.2.3.4:8080', '1.2.3.4'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::ffff:102:304', '1.2.3.4'],
    ['2001:DB8:0:0::0001', '2001:db8::1'],
    ['0177.1', undefined],
    ['0x7f.1', undefined],
    ['2130706433', undefined],
    ['127.1', undefined],
    ['1.2.3.4.5', undefined],
    ['', undefined],
    ['unknown', undefined],
  ])('%s is canonically %s', (written, expected) => {
    expect(canonical(written)).toBe(expected)
  })
})

test('other forwarded headers are believed only of a trusted proxy', () => {
  expect(createTrust('socket').proxied(visit('10.0.0.1'))).toBe(false)
  expect(createTrust({ hops: 1 }).proxied(visit('10.0.0.1'))).toBe(true)
  expect(createTrust({ ranges: ['10.0.0.0/8'] }).proxied(visit('10.0.0.1'))).toBe(true)
  expect(createTrust({ ranges: ['10.0.0.0/8'] }).proxied(visit('192.0.2.1'))).toBe(false)
})
