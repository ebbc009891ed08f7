import type { SqlField, SqlResult } from './sql-engine.ts'

/** Turns the messages of the extended protocol, in the order they arrive, into results. */
export interface ResultCollector {
  readonly results: SqlResult[]
  /** RowDescription. */
  columns(fields: readonly SqlField[]): void
  /** DataRow. False once the values hold more than the limit: what comes after is counted, not kept. */
  row(values: readonly (string | null)[]): boolean
  /** CommandComplete with its tag, or EmptyQueryResponse with none. */
  complete(tag?: string): void
}

/** A collector that keeps at most `maxChars` characters of values, over all results together. */
export function collectResults(maxChars: number): ResultCollector {
  const results: SqlResult[] = []
  let fields: readonly SqlField[] = []
  let rows: (readonly (string | null)[])[] = []
  let chars = 0
  return {
    results,
    columns(next) {
      fields = next
    },
    row(values) {
      for (const value of values) chars += value === null ? 0 : value.length
      if (chars > maxChars) return false
      rows.push(values)
      return true
    },
    complete(tag = '') {
      results.push({ ...readTag(tag), fields, rows })
      fields = []
      rows = []
    },
  }
}

/** `SELECT 5`, `CREATE TABLE`, and `INSERT 0 1`, whose first number is an OID of old. */
function readTag(tag: string): { command: string; rowCount: number | null } {
  const [command = '', ...rest] = tag.split(' ')
  const count = rest.at(command === 'INSERT' ? 1 : 0) ?? ''
  return { command, rowCount: /^\d+$/.test(count) ? Number(count) : null }
}
