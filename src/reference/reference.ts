import { Hono } from 'hono'
import type { Database } from '../data/database.ts'
import { AppError } from '../errors.ts'
import { destructive } from '../routes/destructive.ts'
import { customerRoutes } from './customers.ts'
import { seed } from './seed.ts'

export interface ReferenceOptions {
  /** Nothing in development where no database is named: every route then answers 503. */
  database: Database | undefined
}

/** A small API over a real database, so that the gates guard something real. Keep it, replace it or learn from it. */
export const createReference = ({ database }: ReferenceOptions): Hono => {
  const present = (): Database => {
    if (!database) throw new AppError('DATABASE_UNAVAILABLE', { headers: { 'Retry-After': '30' } })
    return database
  }
  return new Hono()
    .route('/api/customers', customerRoutes(present))
    .post('/api/seed', destructive(), async (c) => c.json(await seed(present())))
}
