import { listen } from '../../bridge/listen.ts'
import { acceptsOnly } from '../../bridge/sql/accepts-only.ts'
import { createNeonHandler } from '../../bridge/sql/neon.ts'
import type { SqlEngine } from '../../bridge/sql/sql-engine.ts'

/** A running endpoint that the contract suite is pointed at. */
export interface NeonEndpoint {
  /** Of `POST /sql` itself. */
  url: string
  /** What it accepts. Percent-encoded on purpose, as drivers re-encode. */
  connectionString: string
  maxRequestBytes: number
  maxResponseBytes: number
  close(): Promise<void>
}

const MIB = 1024 * 1024

/** Serves an engine over HTTP with small limits, so that a test of them is quick. */
export async function serveNeon(engine: SqlEngine): Promise<NeonEndpoint> {
  const connectionString = 'postgresql://app%20user:s%40cret!%25@db.example.test/shop'
  const limits = { maxRequestBytes: 10 * MIB, maxResponseBytes: 12 * MIB }
  const handler = createNeonHandler({ engine, accepts: acceptsOnly(connectionString), ...limits })
  const listener = await listen({ routes: [['/sql', handler]] })
  return { url: `${listener.url}/sql`, connectionString, ...limits, close: () => listener.close() }
}

/** The parts of an answer that tests look at. */
export interface RawAnswer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests reach into whatever JSON came back
  body: any
}

/** One request by hand, with the driver's own headers unless told otherwise; `null` leaves one out. */
export async function post(
  { url, connectionString }: NeonEndpoint,
  body: unknown,
  headers: Record<string, string | null> = {},
): Promise<RawAnswer> {
  const all = {
    'Neon-Connection-String': connectionString,
    'Neon-Raw-Text-Output': 'true',
    'Neon-Array-Mode': 'true',
    ...headers,
  }
  const response = await fetch(url, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null),
  })
  return { status: response.status, headers: response.headers, body: await response.json() }
}
