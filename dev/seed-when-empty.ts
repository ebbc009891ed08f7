import { createDatabase } from '../src/data/database.ts'
import { customers } from '../src/data/schema.ts'
import { seed } from '../src/reference/seed.ts'

/** Fills an empty database with customers to look at. Returns how many there are. */
export async function seedWhenEmpty(env: Readonly<Record<string, string>>): Promise<number> {
  const { DATABASE_URL: url = '', NEON_FETCH_ENDPOINT: endpoint } = env
  const database = createDatabase({ url, endpoint, timeoutMs: 30_000 })
  const count = await database.$count(customers)
  return count > 0 ? count : (await seed(database)).inserted
}
