import { CheckFailure } from '../health/failure.ts'
import type { Database } from './database.ts'
import { databaseFailure, neonError } from './database-failure.ts'

/** Where migrating writes down what it has applied: one row each, `id` being the file's name without `.sql`. */
const APPLIED = 'select id from parapet_migrations'

const UNDEFINED_TABLE = '42P01'

/**
 * The ids of the migrations that are applied in a database, by one query. None where there is no journal.
 *
 * @throws {@link CheckFailure} whatever goes wrong
 */
export const appliedMigrations = async (database: Database): Promise<string[]> => {
  const { rows } = await database.execute(APPLIED).catch((thrown: unknown) => {
    if (neonError(thrown)?.code === UNDEFINED_TABLE) return { rows: [] }
    throw new CheckFailure(databaseFailure(thrown) ?? 'bad_response')
  })
  if (!Array.isArray(rows)) throw new CheckFailure('bad_response')
  return rows.map((row: { id?: unknown }) => {
    if (typeof row?.id !== 'string') throw new CheckFailure('bad_response')
    return row.id
  })
}
