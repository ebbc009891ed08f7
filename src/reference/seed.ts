import type { Database } from '../data/database.ts'
import { CUSTOMER_STATUSES, customers } from '../data/schema.ts'

const WOODS = ['Alder', 'Aspen', 'Beech', 'Birch', 'Cedar', 'Elm', 'Hazel', 'Larch', 'Maple', 'Rowan']
const TRADES = [
  'Bakery',
  'Books',
  'Cycles',
  'Dairy',
  'Florist',
  'Garage',
  'Kitchen',
  'Music',
  'Optics',
  'Press',
]

/** Fills the database with customers to look at. Those that exist are left as they are. */
export const seed = async (database: Database): Promise<{ inserted: number }> => {
  const values = WOODS.flatMap((wood, i) =>
    TRADES.map((trade, j) => ({
      name: `${wood} ${trade}`,
      email: `${wood}.${trade}@example.com`.toLowerCase(),
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
