import { Hono } from 'hono'
import type { Database } from '../data/database.ts'
import { AppError } from '../errors.ts'
import { destructive } from '../routes/destructive.ts'
import type { Cache } from '../store/cache.ts'
import { customerRoutes } from './customers.ts'
import { seed } from './seed.ts'

export interface ReferenceOptions {
  /** Nothing in development where no database is named: every route then answers 503. */
  database: Database | undefined
  /** Keeps customers that are read one by one, for up to half a minute. */
  cache: Cache
}

/** A small API over a real database, so that the gates guard something real. Keep it, replace it or learn from it. */
export const createReference = ({ database, cache }: ReferenceOptions): Hono => {
  const present = (): Database => {
    if (!database) throw new AppError('DATABASE_UNAVAILABLE', { headers: { 'Retry-After': '30' } })
    return database
  }
  return new Hono()
    .route('/api/customers', customerRoutes(present, cache))
    .post('/api/seed', destructive(), async (c) => c.json(await seed(present())))
}
