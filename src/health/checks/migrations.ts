import type { Database } from '../../data/database.ts'
import { appliedMigrations } from '../../data/migration-journal.ts'
import { MIGRATIONS } from '../../data/migration-manifest.ts'
import type { Check } from '../check.ts'
import { CheckFailure } from '../failure.ts'

/**
 * Every migration that this build needs must be applied. Others that are, as after a rollback to an older build, are
 * a warning.
 */
export const migrationsCheck = (database: Database, needed: readonly string[] = MIGRATIONS): Check => ({
  name: 'migrations',
  criticality: 'critical',
  costs: true,
  sleeps: true,
  freshMs: 60_000,
  async run() {
    const applied = new Set(await appliedMigrations(database))
    if (!needed.every((id) => applied.has(id))) throw new CheckFailure('pending')
    return applied.size > needed.length ? 'warn' : undefined
  },
})
