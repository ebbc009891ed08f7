import { neon, neonConfig } from '@neondatabase/serverless'
import { beforeAll } from 'vitest'
import { batchContract } from './neon-contract-batches.ts'
import { drizzleContract } from './neon-contract-drizzle.ts'
import { errorContract } from './neon-contract-errors.ts'
import { loadContract } from './neon-contract-load.ts'
import { sessionContract } from './neon-contract-sessions.ts'
import { valueContract } from './neon-contract-values.ts'
import { wireContract } from './neon-contract-wire.ts'
import type { NeonEndpoint } from './neon-endpoint.ts'

/**
 * What any endpoint that speaks Neon's protocol must do, whatever is behind it: asked with the drivers themselves, and
 * by hand where they are too polite. Call it inside a `describe`, with a function that gives the running endpoint.
 */
export function neonContract(endpoint: () => NeonEndpoint): void {
  beforeAll(async () => {
    // Global to the driver: one endpoint a test file.
    neonConfig.fetchEndpoint = () => endpoint().url
    const sql = neon(endpoint().connectionString)
    await sql.query(
      'create table parents (id int primary key, label text not null unique, amount int check (amount >= 0))',
    )
    await sql.query('create table children (id int primary key, parent_id int not null references parents)')
    await sql.query(
      'create table later (id int primary key, parent_id int references parents deferrable initially deferred)',
    )
    await sql.query(
      'create table notes (id serial primary key, body text not null, tags text[], parent_id int)',
    )
    await sql.query("insert into parents values (1, 'one', 10), (2, 'two', 20)")
  })

  valueContract(endpoint)
  errorContract(endpoint)
  batchContract(endpoint)
  sessionContract(endpoint)
  drizzleContract(endpoint)
  loadContract(endpoint)
  wireContract(endpoint)
}
