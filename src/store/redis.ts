import { Redis } from '@upstash/redis/cloudflare'

export interface RedisOptions {
  url: string
  token: string
  /** Milliseconds after which a request is given up. */
  timeoutMs: number
}

/**
 * Redis over REST, one request per call and none repeated.
 *
 * The signal is a function on purpose: with a single signal the client turns an aborted `GET` into `null`,
 * as if Redis had answered.
 */
export const createRedis = ({ url, token, timeoutMs }: RedisOptions): Redis =>
  new Redis({
    url,
    token,
    retry: { retries: 0 },
    signal: () => AbortSignal.timeout(timeoutMs),
    enableAutoPipelining: false,
    enableTelemetry: false,
  })

export type { Redis }
