import type { SqlError } from './sql-engine.ts'

const EMPTY: SqlError = {
  message: '',
  severity: null,
  code: null,
  detail: null,
  hint: null,
  position: null,
  internalPosition: null,
  internalQuery: null,
  where: null,
  schema: null,
  table: null,
  column: null,
  dataType: null,
  constraint: null,
  file: null,
  line: null,
  routine: null,
}

/**
 * A complete {@link SqlError} from what is known of it. Takes node-postgres' and PGlite's own error objects as they
 * are: fields that Postgres does not name are left behind (PGlite adds the query, for one).
 *
 * @example sqlError({ code: '22012', message: 'division by zero', severity: 'ERROR' })
 */
export function sqlError(known: { [field in keyof SqlError]?: string | null | undefined }): SqlError {
  const error = { ...EMPTY }
  for (const field of Object.keys(EMPTY) as (keyof SqlError)[]) {
    const value = known[field]
    if (typeof value === 'string') error[field] = value
  }
  return error
}
