import type { Connection, Submittable } from 'pg'
import type { ResultCollector } from './result-collector.ts'
import type { SqlField, SqlStatement } from './sql-engine.ts'

export interface PgExchangeOptions {
  statements: readonly SqlStatement[]
  collector: ResultCollector
  /** A statement has been answered. */
  onProgress: () => void
  /**
   * Called once: when Postgres is ready for the next query, with the error that stopped this one if there was one; or
   * with `broken`, when the connection cannot be used again.
   */
  onEnd: (end: { error?: Error; broken?: 'lost' | 'too-large' | 'copy' }) => void
}

/**
 * Several statements in one round trip of the extended protocol, with a single Sync at the end: Postgres skips what
 * follows an error, so a batch with its START TRANSACTION and COMMIT goes out at once and still stops where it fails.
 *
 * It is a "submittable", the extension point that pg-cursor and pg-query-stream use. node-postgres' own query object
 * would take a round trip for each statement, keep every row of a runaway result, and wait for ever on COPY.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 */
export function pgExchange({ statements, collector, onProgress, onEnd }: PgExchangeOptions): Submittable {
  let ended = false
  const end: PgExchangeOptions['onEnd'] = (how) => {
    if (!ended) onEnd(how)
    ended = true
  }
  const exchange = {
    submit(connection: Connection) {
      connection.stream.cork()
      try {
        for (const [at, { text, params }] of statements.entries()) {
          // Without it Postgres keeps its answers to itself until the Sync, and a long batch looks like a hung one.
          if (at > 0) connection.flush()
          connection.parse({ name: '', text, types: [] }, true)
          connection.bind({ values: [...params] }, true)
          connection.describe({ type: 'P' }, true)
          connection.execute(null, true)
        }
        connection.sync()
      } finally {
        connection.stream.uncork()
      }
    },
    handleRowDescription(message: { fields: SqlField[] }) {
      collector.columns(message.fields)
    },
    handleDataRow(message: { fields: (string | null)[] }) {
      if (!collector.row(message.fields)) end({ broken: 'too-large' })
    },
    handleCommandComplete(message: { text: string }) {
      collector.complete(message.text)
      onProgress()
    },
    handleEmptyQuery() {
      collector.complete()
      onProgress()
    },
    handleReadyForQuery() {
      end({})
    },
    handleError(error: Error, connection: Connection) {
      // Not Postgres but the socket spoke: node-postgres has given up on this connection.
      if (!('severity' in error)) return end({ error, broken: 'lost' })
      // Only ReadyForQuery tells whether a transaction is left open; after a FATAL error it never comes.
      const settle = (how: { broken?: 'lost' }) => {
        connection.off('readyForQuery', onReady)
        connection.off('end', onClose)
        end({ error, ...how })
      }
      const onReady = () => settle({})
      const onClose = () => settle({ broken: 'lost' })
      connection.on('readyForQuery', onReady)
      connection.on('end', onClose)
    },
    // COPY is refused before it gets here; node-postgres needs the methods to be there.
    handleCopyInResponse() {
      end({ broken: 'copy' })
    },
    handleCopyData() {
      end({ broken: 'copy' })
    },
    handlePortalSuspended() {},
  }
  return exchange
}
