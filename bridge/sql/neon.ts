import type { Handler } from '../handler.ts'
import { isCopy } from './is-copy.ts'
import { checkCredentials } from './neon-credentials.ts'
import { type NeonPayload, readPayload } from './neon-payload.ts'
import { NeonRefusal } from './neon-refusal.ts'
import { neonRows } from './neon-rows.ts'
import type { SqlEngine, SqlError, SqlRequest, SqlResult, SqlTransaction } from './sql-engine.ts'
import { sqlError } from './sql-error.ts'

export interface NeonHandlerOptions {
  engine: SqlEngine
  /** Whether a caller with this connection string may use the engine; see `acceptsOnly`. */
  accepts: (url: URL) => boolean
  /** Bytes of a request's body; beyond it 413. Default 10 MiB, Neon's own. */
  maxRequestBytes?: number
  /** Bytes of a response's body; beyond it 507. Default 64 MiB. */
  maxResponseBytes?: number
  /** Told what is kept from the caller: why Postgres could not be reached, and defects. */
  report?: (failure: unknown) => void
}

const MIB = 1024 * 1024

const ISOLATION = new Map<string, NonNullable<SqlTransaction['isolation']>>([
  ['ReadUncommitted', 'READ UNCOMMITTED'],
  ['ReadCommitted', 'READ COMMITTED'],
  ['RepeatableRead', 'REPEATABLE READ'],
  ['Serializable', 'SERIALIZABLE'],
])

/**
 * Neon's SQL over HTTP: `POST /sql`, as `@neondatabase/serverless` and drizzle's neon-http speak it.
 *
 * Answers 200; 400 for every SQL error, bad credentials and malformed requests; 413 and 507 beyond the limits; 500
 * for a defect of the engine only. A Postgres that cannot be reached is a 400 as well, with SQLSTATE 08001, 08006 or
 * 53300: Neon's own proxy says 500 there, but of a 500 the driver makes an error without `code`, and whoever decides
 * whether to retry needs to know if the statement may have run. The message starts as Neon's does.
 *
 * @example
 * const handler = createNeonHandler({ engine: createPgEngine({ connectionString }), accepts: acceptsOnly(connectionString) })
 * neonConfig.fetchFunction = (url: string, init: RequestInit) => handler(new Request(url, init))
 * @see https://github.com/neondatabase/neon/blob/main/proxy/src/serverless/sql_over_http.rs
 */
export function createNeonHandler({
  engine,
  accepts,
  maxRequestBytes = 10 * MIB,
  maxResponseBytes = 64 * MIB,
  report = () => {},
}: NeonHandlerOptions): Handler {
  async function query(request: Request): Promise<Response> {
    const { headers, signal } = request
    checkCredentials(headers.get('neon-connection-string'), accepts)
    const transaction = readTransaction(headers)
    const payload = await readPayload(request, maxRequestBytes)
    if (payload.queries.some(({ text }) => isCopy(text))) {
      throw new NeonRefusal(400, 'COPY is not supported over HTTP', '0A000')
    }
    const work: SqlRequest = { statements: payload.queries, maxChars: maxResponseBytes, signal }
    const outcome = await engine.run(payload.batch ? { ...work, transaction } : work)
    if (outcome.kind === 'results') {
      const body = encode(outcome.results, payload, headers, maxResponseBytes)
      return json(200, body, payload.batch ? echo(headers, transaction) : {})
    }
    if (outcome.kind === 'too-large') throw tooLarge(maxResponseBytes)
    if (outcome.cause !== undefined) report(outcome.cause)
    return refuse(400, outcome.error)
  }

  return async function neon(request) {
    try {
      const { pathname } = new URL(request.url)
      if (pathname === '/sql' && request.method === 'POST') return await query(request)
      if (pathname === '/sql' && request.method === 'OPTIONS') return preflight()
      throw new NeonRefusal(400, 'query is not supported')
    } catch (failure) {
      if (failure instanceof NeonRefusal) return refuse(failure.status, sqlError(failure))
      report(failure)
      return refuse(500, sqlError({ message: 'internal error', code: 'XX000' }))
    }
  }
}

function readTransaction(headers: Headers): SqlTransaction {
  const name = headers.get('neon-batch-isolation-level')
  const isolation = ISOLATION.get(name ?? '')
  // Refused even where it would not be used, as Neon does.
  if (name !== null && !isolation) throw new NeonRefusal(400, 'invalid isolation level')
  const readOnly = headers.get('neon-batch-read-only') === 'true'
  const deferrable = headers.get('neon-batch-deferrable') === 'true'
  return { readOnly, deferrable, ...(isolation && { isolation }) }
}

function echo(headers: Headers, { readOnly, deferrable }: SqlTransaction): Record<string, string> {
  const isolation = headers.get('neon-batch-isolation-level')
  return {
    ...(readOnly && { 'neon-batch-read-only': 'true' }),
    ...(deferrable && { 'neon-batch-deferrable': 'true' }),
    ...(isolation && { 'neon-batch-isolation-level': isolation }),
  }
}

function encode(results: readonly SqlResult[], payload: NeonPayload, headers: Headers, maxBytes: number) {
  const raw = headers.get('neon-raw-text-output') === 'true'
  const arrays = headers.get('neon-array-mode') === 'true'
  const pieces: string[] = []
  let chars = 0
  const add = (piece: string) => {
    pieces.push(piece)
    chars += piece.length
    if (chars > maxBytes) throw tooLarge(maxBytes)
  }
  if (payload.batch) add('{"results":[')
  for (const [at, result] of results.entries()) {
    if (at > 0) add(',')
    const asArray = payload.queries[at]?.arrayMode ?? arrays
    for (const piece of neonRows(result, { raw, asArray })) add(piece)
  }
  if (payload.batch) add(']}')
  const bytes = new TextEncoder().encode(pieces.join(''))
  if (bytes.byteLength > maxBytes) throw tooLarge(maxBytes)
  return bytes
}

function tooLarge(maxBytes: number): NeonRefusal {
  return new NeonRefusal(507, `response is too large (max is ${maxBytes} bytes)`)
}

function refuse(status: number, error: SqlError): Response {
  return json(status, JSON.stringify(error))
}

function json(status: number, body: BodyInit, headers: Record<string, string> = {}): Response {
  const all = { ...headers, 'content-type': 'application/json', 'access-control-allow-origin': '*' }
  return new Response(body, { status, headers: all })
}

/** Neon's, plus the deferrable header that its own list forgets. */
function preflight(): Response {
  const names =
    'Authorization, Neon-Connection-String, Neon-Raw-Text-Output, Neon-Array-Mode, Neon-Pool-Opt-In, ' +
    'Neon-Batch-Read-Only, Neon-Batch-Isolation-Level, Neon-Batch-Deferrable'
  return new Response(null, {
    headers: {
      allow: 'OPTIONS, POST',
      'access-control-allow-origin': '*',
      'access-control-allow-headers': names,
      'access-control-max-age': '86400',
    },
  })
}
