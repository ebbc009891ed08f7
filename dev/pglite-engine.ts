import { type Extensions, type messages, PGlite, protocol } from '@electric-sql/pglite'
import { inTransaction } from '../bridge/sql/in-transaction.ts'
import { collectResults, type ResultCollector } from '../bridge/sql/result-collector.ts'
import type { SqlEngine, SqlOutcome, SqlRequest, SqlStatement } from '../bridge/sql/sql-engine.ts'
import { sqlError } from '../bridge/sql/sql-error.ts'

export interface PgliteEngineOptions {
  /** Where the database is kept; without it, in memory. */
  dataDir?: string
  /** Contrib modules to have at hand for CREATE EXTENSION, as PGlite exports them. */
  extensions?: Extensions
}

/** The engine, and two ways in that do not pass through HTTP; both are what `applyMigrations` needs. */
export interface PgliteEngine extends SqlEngine {
  /** Runs a script of several statements. Rejects with PGlite's error. */
  exec(sql: string): Promise<void>
  /** Runs one statement, values parsed. */
  query(sql: string, params?: string[]): Promise<{ rows: Record<string, unknown>[] }>
}

type Message = Awaited<ReturnType<PGlite['execProtocol']>>['messages'][number]

/**
 * Postgres in the process, for development and tests. Takes 1.5 to 3 s to start, blocks the event loop while a
 * statement runs, and is one session: nothing ever waits for a lock, and statement_timeout is not enforced.
 *
 * Speaks the wire protocol to PGlite rather than calling its `query`, which parses values and drops command tags.
 *
 * @example const engine = await createPgliteEngine({ dataDir: '.dev/pg' })
 */
export async function createPgliteEngine({
  dataDir,
  extensions,
}: PgliteEngineOptions = {}): Promise<PgliteEngine> {
  const db = await PGlite.create({ ...(dataDir && { dataDir }), ...(extensions && { extensions }) })
  let closing: Promise<void> | undefined

  async function run({ statements, transaction, maxChars, signal }: SqlRequest): Promise<SqlOutcome> {
    const collector = collectResults(maxChars)
    return await db.runExclusive(async () => {
      if (signal?.aborted)
        return { kind: 'error', error: sqlError({ message: 'request cancelled', code: '08P01' }) }
      let idle = true
      try {
        for (const statement of inTransaction(statements, transaction)) {
          const step = await execute(statement, collector)
          idle = step.idle
          if (step.error) return { kind: 'error', error: step.error }
          if (step.tooLarge) return { kind: 'too-large' }
        }
        return { kind: 'results', results: transaction ? collector.results.slice(1, -1) : collector.results }
      } finally {
        if (!idle) await execute({ text: 'ROLLBACK', params: [] })
        await execute({ text: 'DISCARD ALL', params: [] })
      }
    })
  }

  async function execute({ text, params }: SqlStatement, collector = collectResults(0)) {
    const { serialize } = protocol
    const request = concat([
      serialize.parse({ text }),
      serialize.bind({ values: [...params] }),
      serialize.describe({ type: 'P' }),
      serialize.execute(),
      serialize.sync(),
    ])
    const { messages } = await db.execProtocol(request, { throwOnError: false })
    return collect(messages, collector)
  }

  return {
    run,
    exec: async (sql) => {
      await db.exec(sql)
    },
    query: (sql, params) => db.query(sql, params),
    close: () => {
      closing ??= db.close()
      return closing
    },
  }
}

function collect(received: Message[], collector: ResultCollector) {
  const step = { idle: true, tooLarge: false, error: undefined as ReturnType<typeof sqlError> | undefined }
  for (const message of received) {
    switch (message.name) {
      case 'rowDescription':
        collector.columns((message as messages.RowDescriptionMessage).fields)
        break
      case 'dataRow':
        step.tooLarge ||= !collector.row((message as messages.DataRowMessage).fields)
        break
      case 'commandComplete':
        collector.complete((message as messages.CommandCompleteMessage).text)
        break
      case 'emptyQuery':
        collector.complete()
        break
      case 'error':
        step.error ??= sqlError(message as messages.DatabaseError)
        break
      case 'readyForQuery':
        step.idle = (message as messages.ReadyForQueryMessage).status === 'I'
    }
  }
  return step
}

function concat(parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.byteLength, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.byteLength
  }
  return whole
}
