import type { Database } from '../../data/database.ts'
import { databaseFailure } from '../../data/database-failure.ts'
import type { Check } from '../check.ts'
import { CheckFailure } from '../failure.ts'

/** One query that must bring back what it asked for. */
export const databaseCheck = (database: Database): Check => ({
  name: 'database',
  criticality: 'critical',
  costs: true,
  sleeps: true,
  freshMs: 60_000,
  async run() {
    const { rows } = await database.execute('select 1 as one').catch((thrown: unknown) => {
      throw new CheckFailure(databaseFailure(thrown) ?? 'bad_response')
    })
    if (rows?.[0]?.one !== 1) throw new CheckFailure('bad_response')
  },
})
