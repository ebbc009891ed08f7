import { NeonDbError } from '@neondatabase/serverless'
import { DrizzleQueryError } from 'drizzle-orm'
import { type FailureCode, transportFailure } from '../health/failure.ts'

/** What a statement ends with that ran into its time. */
const QUERY_CANCELED = '57014'
/** Connection exception, insufficient resources, operator intervention: the server, not the statement. */
const UNAVAILABLE = /^(?:08(?!P01)|53|57P)/

/**
 * Tells a database that cannot be used from a statement that failed. Nothing for the latter.
 *
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export const databaseFailure = (thrown: unknown): FailureCode | undefined => {
  if (neonError(thrown)) return neonFailure(thrown)
  return thrown instanceof DrizzleQueryError ? neonFailure(thrown.cause) : undefined
}

/** The same of what the driver itself has thrown. */
export const neonFailure = (thrown: unknown): FailureCode | undefined => {
  const error = neonError(thrown)
  // The driver stumbles over an answer that is not Postgres' at all, or that does not come to its end in time.
  if (!error) return transportFailure(thrown) === 'timeout' ? 'timeout' : 'bad_response'
  if (error.code === undefined)
    return error.sourceError ? transportFailure(error.sourceError) : 'bad_response'
  if (error.code.startsWith('28')) return 'auth'
  if (error.code === QUERY_CANCELED) return 'timeout'
  return UNAVAILABLE.test(error.code) ? 'refused' : undefined
}

/** The driver's error, which drizzle wraps. */
export const neonError = (thrown: unknown): NeonDbError | undefined => {
  for (
    let error = thrown, depth = 0;
    error instanceof Error && depth < 5;
    error = error.cause as Error, depth++
  ) {
    if (error instanceof NeonDbError) return error
  }
  return undefined
}
