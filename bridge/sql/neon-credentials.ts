import { NeonRefusal } from './neon-refusal.ts'

/**
 * Reads and checks `Neon-Connection-String`, in the order and with the messages of Neon's proxy. The string itself is
 * never quoted back: it carries a password.
 *
 * @throws NeonRefusal 400, with code 28P01 where only the credentials are wrong.
 */
export function checkCredentials(header: string | null, accepts: (url: URL) => boolean): void {
  if (header === null || !/^[\x20-\x7e]+$/.test(header)) {
    throw new NeonRefusal(400, 'invalid header: neon-connection-string')
  }
  if (!URL.canParse(header)) throw new NeonRefusal(400, 'invalid connection string')
  const url = new URL(header)
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') {
    throw new NeonRefusal(400, 'incorrect scheme')
  }
  if (url.pathname.length < 2) throw new NeonRefusal(400, 'missing database name')
  if (url.username === '') throw new NeonRefusal(400, 'missing username')
  if (url.hostname === '') throw new NeonRefusal(400, 'missing hostname')
  if (accepts(url)) return
  // Asked after `accepts`, so that a server that trusts its users can be reached without a password.
  if (url.password === '') throw new NeonRefusal(400, 'missing authentication credentials: required password')
  throw new NeonRefusal(
    400,
    `password authentication failed for user '${percentDecode(url.username)}'`,
    '28P01',
  )
}

/** What a part of a connection string stands for. One that is not valid percent-encoding stands for itself. */
export function percentDecode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
