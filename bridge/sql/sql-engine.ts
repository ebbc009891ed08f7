/**
 * What Neon's protocol handler asks of a database, and nothing more: PGlite (`dev/pglite-engine.ts`) and a pool of
 * Postgres connections (`bridge/pg-engine.ts`) both fit it. Values are Postgres text in both directions, as on the
 * wire, so that no engine can bend a type on the way.
 */
export interface SqlEngine {
  /** Never rejects for what Postgres or the network did: that is an outcome. A rejection is a defect. */
  run(request: SqlRequest): Promise<SqlOutcome>
  /** Waits for what is running, then lets go of every connection. May be called twice. */
  close(): Promise<void>
}

/** One statement with its parameters as Postgres text (`null` is NULL). */
export interface SqlStatement {
  text: string
  params: readonly (string | null)[]
}

/** How a batch's transaction starts. Without `isolation` the server's default holds. */
export interface SqlTransaction {
  isolation?: 'READ UNCOMMITTED' | 'READ COMMITTED' | 'REPEATABLE READ' | 'SERIALIZABLE'
  readOnly: boolean
  deferrable: boolean
}

export interface SqlRequest {
  /** Exactly one without `transaction`; any number, none included, with it. */
  statements: readonly SqlStatement[]
  transaction?: SqlTransaction
  /** Results may be given up as `too-large` once their values hold more characters than this. */
  maxChars: number
  /** Fires when nobody waits for the answer any more. */
  signal?: AbortSignal
}

/** A column of a result. `tableID` and `columnID` are 0 where it is computed. */
export interface SqlField {
  name: string
  tableID: number
  columnID: number
  dataTypeID: number
  dataTypeSize: number
  dataTypeModifier: number
}

export interface SqlResult {
  /** First word of the command tag; empty for an empty statement. */
  command: string
  /** Rows returned or touched; null for a command that counts none. */
  rowCount: number | null
  fields: readonly SqlField[]
  rows: readonly (readonly (string | null)[])[]
}

/**
 * The fields of a Postgres error message, named as node-postgres and Neon's driver name them.
 * https://www.postgresql.org/docs/current/protocol-error-fields.html
 */
export interface SqlError {
  message: string
  severity: string | null
  code: string | null
  detail: string | null
  hint: string | null
  position: string | null
  internalPosition: string | null
  internalQuery: string | null
  where: string | null
  schema: string | null
  table: string | null
  column: string | null
  dataType: string | null
  constraint: string | null
  file: string | null
  line: string | null
  routine: string | null
}

/** With an `error`, nothing of the request was kept, unless its code is 08006 or 08007: then nobody knows. */
export type SqlOutcome =
  | { kind: 'results'; results: readonly SqlResult[] }
  | {
      kind: 'error'
      error: SqlError
      /** What really happened, for the operator's log; may name hosts, so it never goes to a caller. */
      cause?: unknown
    }
  | { kind: 'too-large' }
