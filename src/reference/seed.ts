import type { Database } from '../data/database.ts'
import { CUSTOMER_STATUSES, customers } from '../data/schema.ts'

const GIVEN = [
  'Ada',
  'Edsger',
  'Grace',
  'Barbara',
  'Leslie',
  'Radia',
  'Donald',
  'Frances',
  'John',
  'Margaret',
]
const FAMILY = [
  'Byron',
  'Wybe',
  'Murray',
  'Huberman',
  'Lamport',
  'Perlman',
  'Ervin',
  'Spence',
  'Backus',
  'Heafield',
]

/** Fills the database with customers to look at. Those that exist are left as they are. */
export const seed = async (database: Database): Promise<{ inserted: number }> => {
  const values = GIVEN.flatMap((given, i) =>
    FAMILY.map((family, j) => ({
      name: `${given} ${family}`,
      email: `${given}.${family}@example.com`.toLowerCase(),
      status: CUSTOMER_STATUSES[(i + j) % CUSTOMER_STATUSES.length] as (typeof CUSTOMER_STATUSES)[number],
    })),
  )
  const rows = await database
    .insert(customers)
    .values(values)
    .onConflictDoNothing()
    .returning({ id: customers.id })
  return { inserted: rows.length }
}
