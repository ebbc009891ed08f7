import { percentDecode } from './neon-credentials.ts'

/**
 * The usual `accepts` of {@link createNeonHandler}: user, password and database must be those of `connectionString`.
 * The host does not matter, nor does how either side percent-encodes (Neon's driver re-serialises the string). The
 * time a comparison takes does not depend on how much of the secret was right.
 *
 * @example createNeonHandler({ engine, accepts: acceptsOnly(config.DATABASE_URL) })
 * @throws TypeError if `connectionString` is not a URL; the message does not quote it.
 */
export function acceptsOnly(connectionString: string): (url: URL) => boolean {
  if (!URL.canParse(connectionString)) throw new TypeError('acceptsOnly: the connection string is not a URL')
  const expected = parts(new URL(connectionString))
  return (url) => {
    const given = parts(url)
    // No short circuit: which part was wrong must not show either.
    let same = 1
    for (const [at, part] of expected.entries()) same &= equal(part, given[at] ?? new Uint8Array())
    return same === 1
  }
}

function parts(url: URL): Uint8Array[] {
  const [database = ''] = url.pathname.slice(1).split('/')
  const encoder = new TextEncoder()
  return [url.username, url.password, database].map((part) => encoder.encode(percentDecode(part)))
}

function equal(expected: Uint8Array, given: Uint8Array): number {
  let difference = expected.length ^ given.length
  for (const [at, byte] of expected.entries()) {
    // Past the end of `given` it wraps, so the loop is as long as the secret, whatever was sent.
    difference |= byte ^ (given[at % given.length] ?? 0)
  }
  return difference === 0 ? 1 : 0
}
