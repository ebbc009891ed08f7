import { NeonRefusal } from './neon-refusal.ts'
import { paramText } from './param-text.ts'
import type { SqlStatement } from './sql-engine.ts'

/** A statement as the body asked for it; `arrayMode` overrides the header of the same meaning. */
export interface NeonQuery extends SqlStatement {
  arrayMode?: boolean
}

/** The body of `POST /sql`: one query, or the queries of a batch. */
export interface NeonPayload {
  batch: boolean
  queries: NeonQuery[]
}

/** Bind counts its parameters in 16 bits. */
const MAX_PARAMS = 65_535

/**
 * Reads a request's body.
 *
 * @throws NeonRefusal 413 beyond `maxBytes`, 400 for what is not a query.
 */
export async function readPayload(request: Request, maxBytes: number): Promise<NeonPayload> {
  const bytes = await readBody(request, maxBytes)
  try {
    return payload(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
  } catch (failure) {
    if (failure instanceof NeonRefusal) throw failure
    // Nesting deep enough to overflow the stack ends here too.
    const reason = failure instanceof Error ? failure.message : 'not JSON'
    throw new NeonRefusal(400, `could not parse the HTTP request body: ${reason}`)
  }
}

async function readBody(request: Request, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = () => new NeonRefusal(413, `request is too large (max is ${maxBytes} bytes)`)
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge()
  if (!request.body) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    // Leaving the loop early cancels the body.
    for await (const chunk of request.body) {
      size += chunk.byteLength
      if (size > maxBytes) throw tooLarge()
      chunks.push(chunk)
    }
  } catch (failure) {
    if (failure instanceof NeonRefusal) throw failure
    throw new NeonRefusal(400, 'could not read the HTTP request body')
  }
  const bytes = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.byteLength
  }
  return bytes
}

function payload(body: unknown): NeonPayload {
  if (isRecord(body)) {
    if (typeof body.query === 'string') return { batch: false, queries: [query(body)] }
    if (Array.isArray(body.queries)) return { batch: true, queries: body.queries.map(query) }
  }
  throw new TypeError('expected {"query", "params"} or {"queries": [...]}')
}

function query(body: unknown): NeonQuery {
  if (!isRecord(body) || typeof body.query !== 'string') throw new TypeError('expected a "query" text')
  const { params = [], arrayMode } = body
  if (!Array.isArray(params)) throw new TypeError('expected "params" to be an array')
  if (arrayMode !== undefined && arrayMode !== null && typeof arrayMode !== 'boolean') {
    throw new TypeError('expected "arrayMode" to be true or false')
  }
  if (params.length > MAX_PARAMS)
    throw new NeonRefusal(400, `too many parameters (max is ${MAX_PARAMS})`, '08P01')
  const text = wellFormed(body.query)
  // The protocol ends a statement at a zero byte: what follows it would be read as something else.
  if (text.includes('\0')) throw new NeonRefusal(400, 'query contains a zero byte', '22021')
  const values = params.map((param) => wellFormed(paramText(param)))
  return { text, params: values, ...(typeof arrayMode === 'boolean' && { arrayMode }) }
}

/** Half a surrogate pair has no UTF-8: better refused than stored as U+FFFD. */
function wellFormed<Text extends string | null>(text: Text): Text {
  if (text !== null && !text.isWellFormed()) throw new TypeError('lone surrogate in a string')
  return text
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
