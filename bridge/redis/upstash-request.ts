import type { RedisCommand } from './redis-engine.ts'

/** A command as it was asked for, or why it is none; in a pipeline one bad command does not spoil the others. */
export type Asked = { readonly command: RedisCommand } | { readonly error: string }

/** The request is bad as a whole. */
export class BadRequest extends Error {
  readonly status: number

  constructor(message: string, status = 400) {
    super(message)
    this.name = 'BadRequest'
    this.status = status
  }
}

/**
 * Reads a body that may have at most `limit` bytes, whatever Content-Length claims.
 *
 * @throws {BadRequest} 413 as soon as the limit is passed.
 */
export async function readBody(request: Request, limit: number): Promise<Uint8Array> {
  const tooLarge = (actual: number) =>
    new BadRequest(`ERR max request size exceeded. Limit: ${limit} bytes, Actual: ${actual} bytes`, 413)
  const announced = Number(request.headers.get('content-length') ?? 0)
  if (announced > limit) throw tooLarge(announced)
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of request.body ?? []) {
    length += part.length
    if (length > limit) throw tooLarge(length)
    parts.push(part)
  }
  const body = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    body.set(part, at)
    at += part.length
  }
  return body
}

/** The body of `POST /`: one command as a JSON array. */
export function parseCommand(body: Uint8Array): Asked {
  const row = parseJson(body, 'ERR failed to parse command')
  if (!Array.isArray(row)) throw new BadRequest('ERR failed to parse command: expected a JSON array')
  return toCommand(row)
}

/** The body of `/pipeline` and `/multi-exec`: an array of commands. */
export function parseCommands(body: Uint8Array, what: 'pipeline' | 'transaction'): Asked[] {
  const rows = parseJson(body, `ERR failed to parse ${what} request`)
  if (!Array.isArray(rows) || !rows.every(Array.isArray)) {
    throw new BadRequest(`ERR failed to parse ${what} request: expected a JSON array of arrays`)
  }
  if (rows.length === 0) throw new BadRequest(`ERR empty ${what} request`)
  return rows.map(toCommand)
}

/** Path style: `/set/key/value`, then a body as one more argument, then what the query says (`?EX=100`). */
export function parsePath(url: URL, body: Uint8Array): Asked {
  const segments: (string | Uint8Array)[] = url.pathname.slice(1).split('/').map(decodeSegment)
  if (body.length > 0) segments.push(body)
  for (const [key, value] of url.searchParams) {
    if (key === '_token') continue
    segments.push(key)
    if (value !== '') segments.push(value)
  }
  return segments[0]?.length ? { command: segments } : { error: 'ERR empty command' }
}

function toCommand(row: readonly unknown[]): Asked {
  const command: string[] = []
  for (const argument of row) {
    if (typeof argument === 'string') command.push(argument)
    else if (typeof argument === 'number' || typeof argument === 'boolean') command.push(String(argument))
    else if (argument === null) return { error: 'ERR null args are not supported' }
    else return { error: 'ERR unsupported arg type: arguments are strings, numbers or booleans' }
  }
  return command[0] ? { command } : { error: 'ERR empty command' }
}

function parseJson(body: Uint8Array, complaint: string): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body)
    // An integer past 2^53 must reach Redis with its own digits; only then is the slower parse worth it.
    return /\d{16}/.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text)
  } catch {
    throw new BadRequest(complaint)
  }
}

const keepDigits = (_key: string, value: unknown, context?: { source?: string }) =>
  typeof value === 'number' && !Number.isSafeInteger(value) ? (context?.source ?? value) : value

/** Percent-decoding to text, or to bytes where they are not UTF-8. */
function decodeSegment(segment: string): string | Uint8Array {
  try {
    return decodeURIComponent(segment)
  } catch {
    const bytes = segment.match(/%[0-9a-f]{2}|[^%]/gi) ?? []
    if (bytes.join('') !== segment) throw new BadRequest('ERR invalid percent-encoding in the path')
    return Uint8Array.from(bytes, (byte) =>
      byte.length === 3 ? Number.parseInt(byte.slice(1), 16) : byte.charCodeAt(0),
    )
  }
}
