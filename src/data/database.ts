import { type NeonQueryFunction, neon, neonConfig } from '@neondatabase/serverless'
import { drizzle } from 'drizzle-orm/neon-http'
import * as schema from './schema.ts'

export interface DatabaseOptions {
  url: string
  /** Where Neon's protocol is spoken instead of the host of `url`. One for the whole process. */
  endpoint?: string | undefined
  /** Milliseconds after which a query is given up. */
  timeoutMs: number
}

/** Postgres over HTTP: every query, or batch in one transaction, is one request. Nothing is retried. */
export const createDatabase = ({ url, endpoint, timeoutMs }: DatabaseOptions) => {
  if (endpoint) neonConfig.fetchEndpoint = endpoint
  return drizzle(withDeadline(neon(url), timeoutMs), { schema })
}

export type Database = ReturnType<typeof createDatabase>

/** The driver takes options for `fetch` per query, which drizzle does not hand on. */
const withDeadline = (
  client: NeonQueryFunction<false, false>,
  timeoutMs: number,
): NeonQueryFunction<false, false> => {
  const deadline = () => ({
    // A query carries the password, which follows no redirect.
    fetchOptions: { signal: AbortSignal.timeout(timeoutMs), redirect: 'manual' },
  })
  const query: typeof client.query = (text, params, options) =>
    client.query(text, params, { ...deadline(), ...options } as never) as never
  const transaction: typeof client.transaction = (queries, options) =>
    client.transaction(queries, { ...deadline(), ...options } as never) as never
  return Object.assign(client.bind(undefined), client, { query, transaction }) as NeonQueryFunction<
    false,
    false
  >
}
