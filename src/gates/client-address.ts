import ipaddr from 'ipaddr.js'
import type { Visit } from './gate.ts'

/**
 * Whose word on the caller's address is taken:
 * nobody's but the socket's, Cloudflare's, that of the last so many proxies, or that of proxies in these ranges.
 */
export type TrustProxy = 'socket' | 'cloudflare' | { hops: number } | { ranges: readonly string[] }

/** Reads the `TRUST_PROXY` variable, which is checked already. */
export const parseTrustProxy = (value: string): TrustProxy => {
  if (value === 'socket' || value === 'cloudflare') return value
  if (/^\d+$/.test(value)) return { hops: Number(value) }
  return { ranges: value.split(',').map((range) => range.trim()) }
}

type Address = ipaddr.IPv4 | ipaddr.IPv6

/** What the trust setting proves of a visit. */
export interface Trust {
  /** The caller's address, canonical by bits, or nothing where none is proven. */
  address(visit: Pick<Visit, 'header' | 'peer'>): string | undefined
  /** Whether the request came through a proxy whose other forwarded headers may be believed too. */
  proxied(visit: Pick<Visit, 'peer'>): boolean
}

/**
 * Makes the rule by which a caller's address is found.
 *
 * `X-Forwarded-For` is walked from the right, because only what trusted proxies appended can be believed.
 * A list that is malformed or shorter than the number of hops says nothing: the peer counts.
 *
 * @example createTrust({ hops: 1 }).address(visit) // '203.0.113.7'
 */
export const createTrust = (trust: TrustProxy): Trust => {
  if (trust === 'socket') return { address: (visit) => canonical(visit.peer), proxied: () => false }
  if (trust === 'cloudflare') {
    return { address: (visit) => canonical(visit.header('cf-connecting-ip')), proxied: () => false }
  }
  if ('hops' in trust) {
    return {
      address: (visit) => {
        const chain = forwardedFor(visit)
        return (chain && chain.length >= trust.hops ? chain.at(-trust.hops) : parse(visit.peer))?.toString()
      },
      proxied: () => true,
    }
  }
  const ranges = trust.ranges.map(parseRange)
  const isTrusted = (address: Address | undefined): boolean =>
    address !== undefined &&
    ranges.some(
      ([network, bits]) => network.kind() === address.kind() && address.match(network as never, bits),
    )
  return {
    address: (visit) => {
      const peer = parse(visit.peer)
      const chain = isTrusted(peer) ? forwardedFor(visit) : undefined
      return (chain ? (chain.findLast((address) => !isTrusted(address)) ?? chain[0]) : peer)?.toString()
    },
    proxied: (visit) => isTrusted(parse(visit.peer)),
  }
}

/** The whole list, or nothing where one entry is not an address. */
const forwardedFor = (visit: Pick<Visit, 'header'>): Address[] | undefined => {
  const chain = visit.header('x-forwarded-for')?.split(',').map(parse)
  return chain?.every((address) => address !== undefined) ? chain : undefined
}

/** An address in its one spelling (RFC 5952; `::ffff:1.2.3.4` is `1.2.3.4`), or nothing. */
export const canonical = (address: string | undefined): string | undefined => parse(address)?.toString()

const parse = (text: string | undefined): Address | undefined => {
  if (text === undefined) return undefined
  const bare = text
    .trim()
    .replace(/^\[([^\]]*)\](?::\d{1,5})?$/, '$1')
    .replace(/^(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}$/, '$1')
    .replace(/%[\w.-]+$/, '')
  // `0177.1` and `2130706433` are addresses to some parsers and names to others.
  if (ipaddr.IPv4.isValidFourPartDecimal(bare)) return ipaddr.IPv4.parse(bare)
  if (!ipaddr.IPv6.isValid(bare)) return undefined
  return ipaddr.process(bare)
}

const parseRange = (range: string): [Address, number] => {
  const [network, bits] = range.includes('/')
    ? ipaddr.parseCIDR(range)
    : [ipaddr.process(range), ipaddr.process(range).kind() === 'ipv4' ? 32 : 128]
  if (network.kind() === 'ipv6' && (network as ipaddr.IPv6).isIPv4MappedAddress() && bits >= 96) {
    return [(network as ipaddr.IPv6).toIPv4Address(), bits - 96]
  }
  return [network, bits]
}
