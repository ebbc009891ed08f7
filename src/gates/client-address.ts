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
  /** The caller's address, canonical by bits, or nothing where none is proven. To count by. */
  address(visit: Pick<Visit, 'header' | 'peer'>): string | undefined
  /**
   * The same, but nothing where the list could not be read and the peer stands in for the caller: the peer is the
   * proxy then, and a caller can bring that about. To let somebody pass by.
   */
  proven(visit: Pick<Visit, 'header' | 'peer'>): string | undefined
  /** Whether the request came through a proxy whose other forwarded headers may be believed too. */
  proxied(visit: Pick<Visit, 'peer'>): boolean
}

interface Found {
  address: Address | undefined
  /** Whether the peer only stands in for a caller of whom nothing is known. */
  standsIn?: boolean
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
  const find = finding(trust)
  const isProxy =
    typeof trust === 'string' ? () => false : 'hops' in trust ? () => true : within(trust.ranges)
  return {
    address: (visit) => find(visit).address?.toString(),
    proven(visit) {
      const { address, standsIn } = find(visit)
      return standsIn ? undefined : address?.toString()
    },
    proxied: (visit) => isProxy(parseAddress(visit.peer)),
  }
}

const FORWARDED = ['x-forwarded-for', 'forwarded']

type Find = (visit: Pick<Visit, 'header' | 'peer'>) => Found

const finding = (trust: TrustProxy): Find => {
  if (trust === 'socket') {
    // Where somebody forwards, the peer is a proxy that nobody has told us of.
    return (visit) => ({
      address: parseAddress(visit.peer),
      standsIn: FORWARDED.some((name) => visit.header(name)),
    })
  }
  if (trust === 'cloudflare') return (visit) => ({ address: parseAddress(visit.header('cf-connecting-ip')) })
  return 'hops' in trust ? byHops(trust.hops) : byRanges(trust.ranges)
}

const byHops = (hops: number): Find => {
  return (visit) => {
    const list = visit.header('x-forwarded-for')
    const address = list === undefined ? undefined : parseChain(list)?.at(-hops)
    return address ? { address } : { address: parseAddress(visit.peer), standsIn: list !== undefined }
  }
}

const byRanges = (ranges: readonly string[]): Find => {
  const isTrusted = within(ranges)
  return (visit) => {
    const peer = parseAddress(visit.peer)
    const list = isTrusted(peer) ? visit.header('x-forwarded-for') : undefined
    if (list === undefined) return { address: peer }
    const chain = parseChain(list)
    return chain
      ? { address: chain.findLast((address) => !isTrusted(address)) ?? chain[0] }
      : { address: peer, standsIn: true }
  }
}

/**
 * Whether an address lies in one of these ranges: addresses or CIDRs, IPv4 or IPv6.
 *
 * @example addressRanges(['10.0.0.0/8', '2001:db8::/32'])('10.1.2.3') // true
 */
export const addressRanges = (ranges: readonly string[]): ((address: string | undefined) => boolean) => {
  const isWithin = within(ranges)
  return (address) => isWithin(parseAddress(address))
}

const within = (ranges: readonly string[]): ((address: Address | undefined) => boolean) => {
  const parsed = ranges.map(parseRange)
  return (address) =>
    address !== undefined &&
    parsed.some(
      ([network, bits]) => network.kind() === address.kind() && address.match(network as never, bits),
    )
}

/** No chain of proxies is longer, and what a caller wrote before it costs nothing to read. */
const MAX_CHAIN = 128

/** The whole list, or nothing where one entry is not an address. */
const parseChain = (list: string): Address[] | undefined => {
  const chain = list.split(',').slice(-MAX_CHAIN).map(parseAddress)
  return chain.every((address) => address !== undefined) ? chain : undefined
}

/** An address in its one spelling (RFC 5952; `::ffff:1.2.3.4` is `1.2.3.4`), or nothing. */
export const canonical = (address: string | undefined): string | undefined =>
  parseAddress(address)?.toString()

/** With what Node puts before the address of every caller. */
const IPV4 = /^[ \t]*(?:::ffff:([\d.]{7,15})|([\d.]{7,15})(?::(\d{1,5}))?)[ \t]*$/i
/** Brackets are there for the sake of a port. A zone says which network card, and not whose address. */
const IPV6 =
  /^[ \t]*(?:([\da-f:.]{2,45})(?:%[\w.-]+)?|\[([\da-f:.]{2,45})(?:%[\w.-]+)?\](?::(\d{1,5}))?)[ \t]*$/i
/** An address of IPv6 whose last 32 bits are written like one of IPv4. */
const DOTTED = /^(.*:)(\d+\.[\d.]+)$/

/** An address by its bits, as it stands in a header: a port, brackets and a zone are dropped. */
export const parseAddress = (text: string | undefined): Address | undefined => {
  if (text === undefined) return undefined
  const [, mapped, plain, plainPort] = IPV4.exec(text) ?? []
  const ipv4 = mapped ?? plain
  if (ipv4 !== undefined) return isPort(plainPort) ? parseIPv4(ipv4) : undefined
  const [, bare, bracketed, port] = IPV6.exec(text) ?? []
  const address = isPort(port) ? parseIPv6(bare ?? bracketed ?? '') : undefined
  return address?.isIPv4MappedAddress() ? address.toIPv4Address() : address
}

const isPort = (port = '0'): boolean => Number(port) <= 65_535

// `0177.1` and `2130706433` are addresses to some parsers and names to others.
const parseIPv4 = (text: string): ipaddr.IPv4 | undefined =>
  ipaddr.IPv4.isValidFourPartDecimal(text) ? ipaddr.IPv4.parse(text) : undefined

// ipaddr.js reads octal digits in a dotted end, and takes `::1.2.3.4` for `::ffff:1.2.3.4`.
const parseIPv6 = (text: string): ipaddr.IPv6 | undefined => {
  const [, head, dotted] = DOTTED.exec(text) ?? []
  if (head === undefined || dotted === undefined) {
    return ipaddr.IPv6.isValid(text) ? ipaddr.IPv6.parse(text) : undefined
  }
  const end = parseIPv4(dotted)?.octets
  return end && ipaddr.IPv6.isValid(`${head}0:0`)
    ? new ipaddr.IPv6([...ipaddr.IPv6.parse(`${head}0:0`).toByteArray().slice(0, 12), ...end])
    : undefined
}

const parseRange = (range: string): [Address, number] => {
  const [text = '', length] = range.split('/')
  const network = parseIPv4(text) ?? parseIPv6(text)
  if (!network) throw new TypeError('not a range of addresses, such as 10.0.0.0/8 or 2001:db8::/32')
  const bits = length === undefined ? (network.kind() === 'ipv4' ? 32 : 128) : Number(length)
  if ('isIPv4MappedAddress' in network && network.isIPv4MappedAddress() && bits >= 96) {
    return [network.toIPv4Address(), bits - 96]
  }
  return [network, bits]
}
