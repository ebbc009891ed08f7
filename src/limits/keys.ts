import { Lru } from '../store/lru.ts'

/** Makes the key of a limit from whom it counts. At once where it is known already. */
export type Keys = (prefix: string, identifier: string) => string | Promise<string>

const MAX_KNOWN = 10_000
const MAX_LENGTH = 256

/** Plain keys, for a store that nobody else can read. */
export const plainKeys: Keys = (prefix, identifier) => `${prefix}\n${identifier}`

/**
 * Keys that tell nobody who reads them whom they stand for: HMAC-SHA-256 (RFC 2104) of the identifier, cut to 128 bits.
 * All instances need the same secret, or each counts for itself.
 */
export const hashedKeys = (secret: string): Keys => {
  const known = new Lru<string, string>(MAX_KNOWN)
  const encoder = new TextEncoder()
  let imported: CryptoKey | undefined

  const hashed = async (prefix: string, identifier: string): Promise<string> => {
    imported ??= await crypto.subtle.importKey(
      'raw',
      encoder.encode(`parapet limits ${secret}`),
      { name: 'HMAC', hash: 'SHA-256' },
      false,
      ['sign'],
    )
    const mac = await crypto.subtle.sign('HMAC', imported, encoder.encode(`${prefix}\n${identifier}`))
    const key = `${prefix}:${hex(new Uint8Array(mac, 0, 16))}`
    // What a caller chose may be long, and there may be many of them.
    if (identifier.length <= MAX_LENGTH) known.set(`${prefix}\n${identifier}`, key)
    return key
  }
  return (prefix, identifier) => known.get(`${prefix}\n${identifier}`) ?? hashed(prefix, identifier)
}

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
