import { type NeonQueryFunction, neon, neonConfig } from '@neondatabase/serverless'
import { drizzle } from 'drizzle-orm/neon-http'
import type { FailureCode } from '../health/failure.ts'
import { neonFailure } from './database-failure.ts'
import * as schema from './schema.ts'

export interface DatabaseOptions {
  url: string
  /** Where Neon's protocol is spoken instead of the host of `url`. One for the whole process. */
  endpoint?: string | undefined
  /** Milliseconds after which a query is given up. */
  timeoutMs: number
  /** Told of every query: nothing where Postgres answered, whatever it answered, else why it did not. */
  onOutcome?: ((failure: FailureCode | undefined, latencyMs: number) => void) | undefined
}

/** Postgres over HTTP: every query, or batch in one transaction, is one request. Nothing is retried. */
export const createDatabase = ({ url, endpoint, timeoutMs, onOutcome }: DatabaseOptions) => {
  if (endpoint) neonConfig.fetchEndpoint = endpoint
  return drizzle(withDeadline(neon(url), timeoutMs, onOutcome), { schema })
}

export type Database = ReturnType<typeof createDatabase>

/** The driver takes options for `fetch` per query, which drizzle does not hand on. */
const withDeadline = (
  client: NeonQueryFunction<false, false>,
  timeoutMs: number,
  onOutcome: DatabaseOptions['onOutcome'],
): NeonQueryFunction<false, false> => {
  const deadline = () => ({
    // A query carries the password, which follows no redirect.
    fetchOptions: { signal: AbortSignal.timeout(timeoutMs), redirect: 'manual' },
  })
  const watched = async <T>(work: Promise<T>): Promise<T> => {
    const began = Date.now()
    try {
      const result = await work
      onOutcome?.(undefined, Date.now() - began)
      return result
    } catch (thrown) {
      onOutcome?.(neonFailure(thrown), Date.now() - began)
      throw thrown
    }
  }
  const query: typeof client.query = (text, params, options) => {
    const pending = client.query(text, params, { ...deadline(), ...options } as never)
    // Not a promise yet: a query of a transaction is never sent by itself.
    const { execute } = pending
    pending.execute = (...sent) => watched(execute.apply(pending, sent))
    return pending as never
  }
  const transaction: typeof client.transaction = (queries, options) =>
    watched(client.transaction(queries, { ...deadline(), ...options } as never)) as never
  return Object.assign(client.bind(undefined), client, { query, transaction }) as NeonQueryFunction<
    false,
    false
  >
}
