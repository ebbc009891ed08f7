import ipaddr from 'ipaddr.js'
import { parseAddress } from '../gates/client-address.ts'

/**
 * What of an address a limit counts by, narrowest first. One IPv4 address is one caller. Of IPv6 a household has a
 * /64 and often a /48 to choose addresses from (RFC 6177), so that counting single ones limits nobody.
 *
 * What is no address counts as itself.
 *
 * @example
 * networksOf('203.0.113.7') // ['203.0.113.7']
 * networksOf('2001:db8:1:2:3::4') // ['2001:db8:1:2::/64', '2001:db8:1::/48']
 */
export const networksOf = (address: string): readonly string[] => {
  const own = parseAddress(address)
  if (!own || 'octets' in own) return [own?.toString() ?? address]
  return [64, 48].map((bits) => {
    const kept = own.parts.map((part, index) => (index * 16 < bits ? part : 0))
    return `${new ipaddr.IPv6(kept)}/${bits}`
  })
}
