import pg from 'pg'
import { inTransaction } from './in-transaction.ts'
import { type PgExchangeOptions, pgExchange } from './pg-exchange.ts'
import { cancelledFailure, connectFailure, copyFailure, lostFailure } from './pg-failure.ts'
import { collectResults } from './result-collector.ts'
import type { SqlEngine, SqlOutcome, SqlRequest, SqlStatement } from './sql-engine.ts'
import { sqlError } from './sql-error.ts'

export interface PgEngineOptions {
  /** Of Postgres itself: a transaction pooler refuses the timeout this sets, and a pool behind a pool gains nothing. */
  connectionString: string
  /** Connections at most. Default 20. */
  poolSize?: number
  /** Milliseconds after which an unused connection is closed. Default 30000. */
  idleTimeoutMs?: number
  /** Milliseconds to wait for a connection, new or free. Default 10000. */
  connectTimeoutMs?: number
  /** Milliseconds for one statement. Default 30000. */
  queryTimeoutMs?: number
}

type End = Parameters<PgExchangeOptions['onEnd']>[0] | { broken: 'silent' | 'aborted' }

/** How much longer than Postgres' own statement_timeout to wait before the connection counts as dead. */
const GRACE_MS = 1000

/**
 * An engine over a pool of Postgres connections, for Node and Bun.
 *
 * A connection goes back to the pool only idle and reset (`DISCARD ALL`, after the caller has its answer); one that
 * hangs, breaks, outgrows the limit or is abandoned by its caller is destroyed, its statement cancelled. Statements
 * are never prepared by name, so a reset loses nothing.
 *
 * @example const engine = createPgEngine({ connectionString: 'postgres://app:secret@127.0.0.1:5432/app' })
 */
export function createPgEngine({
  connectionString,
  poolSize = 20,
  idleTimeoutMs = 30_000,
  connectTimeoutMs = 10_000,
  queryTimeoutMs = 30_000,
}: PgEngineOptions): SqlEngine {
  const config: pg.PoolConfig = {
    connectionString,
    max: poolSize,
    idleTimeoutMillis: idleTimeoutMs,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: queryTimeoutMs,
    keepAlive: true,
    fallback_application_name: 'parapet-bridge',
  }
  const pool = new pg.Pool(config)
  // An idle connection that breaks has left the pool already; without a listener it would end the process.
  pool.on('error', ignore)
  const background = new Set<Promise<void>>()
  let closing: Promise<void> | undefined

  async function run({ statements, transaction, maxChars, signal }: SqlRequest): Promise<SqlOutcome> {
    let client: pg.PoolClient
    try {
      client = await pool.connect()
    } catch (cause) {
      return connectFailure(cause, poolSize, connectTimeoutMs)
    }
    client.on('error', ignore)
    if (signal?.aborted) {
      release(client, 'reuse')
      return cancelledFailure()
    }
    const collector = collectResults(maxChars)
    const end = await exchange(client, inTransaction(statements, transaction), collector, signal)
    if (end.broken) {
      const pid: unknown = Reflect.get(client, 'processID')
      release(client, 'destroy')
      if (end.broken !== 'lost') inBackground(cancel(pid))
      return broken(end, transaction !== undefined)
    }
    // An error inside a batch or a stray BEGIN. Before the answer, so that the caller finds no lock still held.
    if (client.getTransactionStatus() !== 'I') await exchange(client, [{ text: 'ROLLBACK', params: [] }])
    inBackground(reset(client))
    if (end.error) return { kind: 'error', error: sqlError(end.error as pg.DatabaseError) }
    return { kind: 'results', results: transaction ? collector.results.slice(1, -1) : collector.results }
  }

  /** One round trip, until Postgres is ready again, the connection is beyond use, or nobody waits any more. */
  function exchange(
    client: pg.PoolClient,
    statements: readonly SqlStatement[],
    collector = collectResults(0),
    signal?: AbortSignal,
  ): Promise<End> {
    return new Promise((resolve) => {
      const silence = setTimeout(() => onEnd({ broken: 'silent' }), queryTimeoutMs + GRACE_MS)
      const onAbort = () => onEnd({ broken: 'aborted' })
      const onEnd = (end: End) => {
        clearTimeout(silence)
        signal?.removeEventListener('abort', onAbort)
        resolve(end)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      try {
        client.query(pgExchange({ statements, collector, onProgress: () => silence.refresh(), onEnd }))
      } catch (failure) {
        onEnd({ broken: 'lost', error: failure instanceof Error ? failure : new Error('could not send') })
      }
    })
  }

  function broken(end: End, inTransaction: boolean): SqlOutcome {
    if ('error' in end && end.error instanceof pg.DatabaseError)
      return { kind: 'error', error: sqlError(end.error) }
    if (end.broken === 'too-large') return { kind: 'too-large' }
    if (end.broken === 'copy') return copyFailure()
    if (end.broken === 'aborted') return cancelledFailure()
    if (end.broken === 'silent') return lostFailure(undefined, inTransaction, queryTimeoutMs + GRACE_MS)
    return lostFailure('error' in end ? end.error : undefined, inTransaction)
  }

  async function reset(client: pg.PoolClient): Promise<void> {
    const idle = client.getTransactionStatus() === 'I'
    const end = idle ? await exchange(client, [{ text: 'DISCARD ALL', params: [] }]) : undefined
    release(client, end && !end.broken && !end.error ? 'reuse' : 'destroy')
  }

  /**
   * Ends what a destroyed connection was still running, over a connection of its own. The old one cannot have gone
   * back to the pool, so no other request can be hit. If it fails, statement_timeout ends it later.
   */
  async function cancel(pid: unknown): Promise<void> {
    if (typeof pid !== 'number') return
    const client = new pg.Client(config)
    client.on('error', ignore)
    try {
      await client.connect()
      await client.query('select pg_cancel_backend($1)', [pid])
    } catch {
      // Postgres may be the one that hangs.
    } finally {
      await client.end().catch(ignore)
    }
  }

  function inBackground(work: Promise<void>): void {
    background.add(work)
    work.catch(ignore).finally(() => background.delete(work))
  }

  async function close(): Promise<void> {
    await pool.end()
    await Promise.all(background)
  }

  return {
    run,
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

function release(client: pg.PoolClient, how: 'reuse' | 'destroy'): void {
  client.off('error', ignore)
  client.release(how === 'destroy')
}

function ignore(): void {}
