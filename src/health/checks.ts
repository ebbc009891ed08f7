import { sql } from 'drizzle-orm'
import type { Database } from '../data/database.ts'
import { databaseFailure } from '../data/database-failure.ts'
import type { Redis } from '../store/redis.ts'
import { redisFailure } from '../store/redis-failure.ts'
import type { Check } from './check.ts'
import { CheckFailure } from './failure.ts'

/** One query that must bring back what it asked for. */
export const databaseCheck = (database: Database): Check => ({
  name: 'database',
  criticality: 'critical',
  async run() {
    const { rows } = await database.execute(sql`select 1 as one`).catch((thrown: unknown) => {
      throw new CheckFailure(databaseFailure(thrown) ?? 'bad_response')
    })
    if (rows?.[0]?.one !== 1) throw new CheckFailure('bad_response')
  },
})

/** `PING` must be answered `PONG`. Without Redis limits are per instance, so its loss degrades. */
export const redisCheck = (redis: Redis): Check => ({
  name: 'redis',
  criticality: 'degrading',
  async run() {
    const answer = await redis.ping().catch((thrown: unknown) => {
      throw new CheckFailure(redisFailure(thrown))
    })
    if (answer !== 'PONG') throw new CheckFailure('bad_response')
  },
})

/**
 * A dependency that is not configured: a Redis, without which limits, switches and metrics are those of one
 * instance, or in development the database.
 */
export const absentCheck = (name: string, criticality: Check['criticality']): Check => ({
  name,
  criticality,
  run: () => Promise.reject(new CheckFailure('refused')),
})

/** Whether every critical variable is there and accepted. */
export const configCheck = (problems: readonly unknown[]): Check => ({
  name: 'config',
  criticality: 'critical',
  run: () => (problems.length > 0 ? Promise.reject(new CheckFailure('bad_response')) : Promise.resolve()),
})
