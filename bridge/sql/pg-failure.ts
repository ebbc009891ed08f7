import pg from 'pg'
import type { SqlOutcome } from './sql-engine.ts'
import { sqlError } from './sql-error.ts'

type Failure = Extract<SqlOutcome, { kind: 'error' }>

const UNREACHABLE = "Couldn't connect to compute node"

/** What may be said of a socket's error: its own message names the host. */
const REASONS = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['ECONNRESET', 'connection reset'],
  ['ENOTFOUND', 'host name not found'],
  ['EAI_AGAIN', 'host name not resolved'],
  ['EHOSTUNREACH', 'host unreachable'],
  ['ENETUNREACH', 'network unreachable'],
  ['ETIMEDOUT', 'timed out'],
  ['ENOENT', 'socket not found'],
])

/** No connection was to be had, so nothing was run. `waitedMs` is how long the pool may take. */
export function connectFailure(cause: unknown, poolSize: number, waitedMs: number): Failure {
  if (cause instanceof pg.DatabaseError) {
    // Class 28 quotes addresses of pg_hba.conf; the rest ("starting up", "too many clients") is what the caller needs.
    const message = cause.code?.startsWith('28') ? `${UNREACHABLE}: authentication failed` : cause.message
    return failure(cause.code ?? '08001', message, cause)
  }
  // pg-pool has no code for its own error.
  if (cause instanceof Error && cause.message === 'timeout exceeded when trying to connect') {
    return failure('53300', `no free connection within ${waitedMs} ms (pool of ${poolSize})`, cause)
  }
  const reason =
    REASONS.get(codeOf(cause)) ?? (isTimeout(cause) ? `no answer within ${waitedMs} ms` : undefined)
  return failure('08001', reason ? `${UNREACHABLE}: ${reason}` : UNREACHABLE, cause)
}

/** The connection went, or went silent, after the request was sent: only Postgres knows whether it took effect. */
export function lostFailure(cause: unknown, inTransaction: boolean, silentMs?: number): Failure {
  const what =
    silentMs === undefined ? 'connection to Postgres lost' : `no answer from Postgres within ${silentMs} ms`
  return failure(inTransaction ? '08007' : '08006', `${what}; the outcome is unknown`, cause)
}

/** Neon's words for a request whose caller went away. */
export function cancelledFailure(): Failure {
  return failure('08P01', 'Query cancelled, connection was terminated')
}

/** COPY that was not recognised before it ran. */
export function copyFailure(): Failure {
  return failure('0A000', 'COPY is not supported over HTTP')
}

function failure(code: string, message: string, cause?: unknown): Failure {
  return { kind: 'error', error: sqlError({ severity: 'FATAL', code, message }), cause }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && /timeout/.test(error.message)
}
