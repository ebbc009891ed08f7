import { expect, test } from 'vitest'
import { networksOf } from '../../src/limits/client-network.ts'

test.each([
  ['203.0.113.7', ['203.0.113.7']],
  ['::ffff:203.0.113.7', ['203.0.113.7']],
  ['::ffff:cb00:7107', ['203.0.113.7']],
  ['2001:db8:1:2:3:4:5:6', ['2001:db8:1:2::/64', '2001:db8:1::/48']],
  ['2001:db8:1:2::', ['2001:db8:1:2::/64', '2001:db8:1::/48']],
  ['2001:0DB8:0001:0002:ffff:ffff:ffff:ffff', ['2001:db8:1:2::/64', '2001:db8:1::/48']],
  ['2001:db8::1', ['2001:db8::/64', '2001:db8::/48']],
  ['2001:db8:0:1::1', ['2001:db8:0:1::/64', '2001:db8::/48']],
  ['2001:db8:1:0:1::', ['2001:db8:1::/64', '2001:db8:1::/48']],
  ['::1', ['::/64', '::/48']],
  ['fe80::1%eth0', ['fe80::/64', 'fe80::/48']],
  ['64:ff9b::1.2.3.4', ['64:ff9b::/64', '64:ff9b::/48']],
  ['nobody', ['nobody']],
])('%s is limited as %j', (address, networks) => {
  expect(networksOf(address)).toEqual(networks)
})

test('a caller with a /64 is one caller, and its neighbour another', () => {
  const [own] = networksOf('2001:db8:1:2::1')
  expect(networksOf('2001:db8:1:2:ffff::1')[0]).toBe(own)
  expect(networksOf('2001:db8:1:3::1')[0]).not.toBe(own)
  expect(networksOf('2001:db8:1:3::1')[1]).toBe(networksOf('2001:db8:1:2::1')[1])
})
