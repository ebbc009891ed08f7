import ipaddr from 'ipaddr.js'
import * as z from 'zod'
import { weaknessOf } from './secrets.ts'

/** Rules that variables share, each over the text of the environment. */

export const text = z.string()
export const flag = z.stringbool({ truthy: ['true', '1', 'yes', 'on'], falsy: ['false', '0', 'no', 'off'] })
export const integer = (minimum: number, maximum = Number.MAX_SAFE_INTEGER) =>
  z
    .string()
    .regex(/^\d{1,16}$/)
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum)
export const url = (protocols: readonly string[], accept: (url: URL) => boolean = () => true) =>
  text.refine((value) => {
    const parsed = URL.canParse(value) ? new URL(value) : undefined
    return (
      parsed !== undefined && isDecodable(parsed) && protocols.includes(parsed.protocol) && accept(parsed)
    )
  })
/** Drivers decode credentials, and some of them fall over those that cannot be decoded. */
const isDecodable = ({ username, password, pathname }: URL): boolean => {
  try {
    return decodeURIComponent(username + password + pathname) !== undefined
  } catch {
    return false
  }
}
export const secret = (minimum: number) => text.refine((value) => weaknessOf(value, minimum) === undefined)
export const list = text.transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean),
)

export const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname)

/** An address or a range of them. `010.0.0.0/8` is 8.0.0.0/8 to some parsers and 10.0.0.0/8 to people: neither here. */
export const isCidr = (value: string): boolean => {
  const network = value.split('/', 1)[0] as string
  const dotted = network.slice(network.lastIndexOf(':') + 1)
  if ((dotted === network || dotted.includes('.')) && !ipaddr.IPv4.isValidFourPartDecimal(dotted))
    return false
  return network === value ? ipaddr.isValid(value) : !network.includes('%') && ipaddr.isValidCIDR(value)
}

/** A moment that everybody reads alike: ISO 8601 with its zone, on a day that exists. */
export const instant = z.union([
  z.iso.datetime({ offset: true }),
  z.iso.datetime({ offset: true, precision: -1 }),
])

const base64Length = (value: string): number => {
  try {
    return atob(value).length
  } catch {
    return -1
  }
}
export const isAesKey = (value: string): boolean => base64Length(value) === 32
export const isWebhookSecret = (value: string): boolean => {
  if (!value.startsWith('whsec_')) return weaknessOf(value, 32) === undefined
  const length = base64Length(value.slice(6))
  return length >= 24 && length <= 64
}
export const isOrigin = (value: string): boolean =>
  URL.canParse(value) &&
  /^https?:$/.test(new URL(value).protocol) &&
  new URL(value).origin === value.toLowerCase().replace(/\/$/, '')
