import type { Visit } from './gate.ts'

export const BYPASS_COOKIE = '__Host-parapet-bypass'
/** Seconds. */
const LONGEST = 12 * 60 * 60
const VALUE = /^v1\.([1-9]\d{0,11})\.([\w-]{43})$/

/** What a pass is good for: the maintenance that is on, by its epoch, and no longer than that lasts. */
interface Occasion {
  epoch: string
  /** Milliseconds since the epoch of clocks. */
  until: number | undefined
}

/** A pass through a house that is closed, for the browser of an operator. */
export interface BypassCookie {
  /** Makes one. Gives the header `Set-Cookie` and when the pass expires, in milliseconds since the epoch. */
  issue(occasion: Occasion, now: number): Promise<{ header: string; expires: number }>
  /** Whether a visit shows one that holds. A visit that shows none is answered at once. */
  admits(visit: Pick<Visit, 'header' | 'now'>, occasion: Occasion): boolean | Promise<boolean>
}

/**
 * Makes and checks bypass cookies: `v1.<expiry>.<HMAC-SHA256 over expiry and epoch>`, by a key that is derived from
 * the operator token. Nothing is stored: a cookie dies with its time, with the next switch, and with the token.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5869
 */
export const createBypassCookie = (token: string): BypassCookie => {
  // The key is data and may be shared between requests, a promise of it may not.
  let key: CryptoKey | undefined
  const signed = async (expires: number, epoch: string) => {
    key ??= await deriveKey(token)
    return { key, message: encoder.encode(`v1.${expires}.${epoch}`) }
  }

  return {
    async issue({ epoch, until = Number.POSITIVE_INFINITY }, now) {
      const expires = Math.floor(Math.min(now / 1000 + LONGEST, until / 1000))
      const { key, message } = await signed(expires, epoch)
      const mac = toBase64Url(await crypto.subtle.sign('HMAC', key, message))
      const age = Math.max(0, expires - Math.floor(now / 1000))
      const header = `${BYPASS_COOKIE}=v1.${expires}.${mac}; Max-Age=${age}; Path=/; HttpOnly; Secure; SameSite=Lax`
      return { header, expires: expires * 1000 }
    },

    admits(visit, { epoch }) {
      const [, expires, mac] = VALUE.exec(cookieOf(visit) ?? '') ?? []
      if (!expires || !mac || Number(expires) * 1000 <= visit.now) return false
      const bytes = fromBase64Url(mac)
      // The last character has bits to spare: only one of its spellings was issued.
      if (toBase64Url(bytes) !== mac) return false
      return signed(Number(expires), epoch).then(({ key, message }) =>
        crypto.subtle.verify('HMAC', key, bytes, message),
      )
    },
  }
}

const encoder = new TextEncoder()

const deriveKey = async (token: string): Promise<CryptoKey> => {
  const secret = await crypto.subtle.importKey('raw', encoder.encode(token), 'HKDF', false, ['deriveKey'])
  const info = encoder.encode('parapet bypass cookie v1')
  return crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info },
    secret,
    { name: 'HMAC', hash: 'SHA-256', length: 256 },
    false,
    ['sign', 'verify'],
  )
}

/** The one cookie of that name. Two of them prove nothing. */
const cookieOf = (visit: Pick<Visit, 'header'>): string | undefined => {
  const header = visit.header('cookie')
  if (!header?.includes(BYPASS_COOKIE)) return undefined
  const values = header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${BYPASS_COOKIE}=`))
  return values.length === 1 ? values[0]?.slice(BYPASS_COOKIE.length + 1) : undefined
}

const toBase64Url = (bytes: ArrayBuffer | Uint8Array): string =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')

const fromBase64Url = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) =>
    character.charCodeAt(0),
  )
