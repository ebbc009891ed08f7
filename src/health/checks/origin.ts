import { type Check, DEFAULT_TIMEOUT_MS } from '../check.ts'
import { CheckFailure, transportFailure } from '../failure.ts'

export interface OriginCheckOptions {
  /** Where the API is that Parapet stands in front of. */
  url: string
  /** Milliseconds until it must have begun its answer. */
  timeoutMs?: number
}

/**
 * The origin must answer, whatever it says, but for a failure of its own. One `GET` where a visitor of `/` is sent,
 * without credentials.
 */
export const originCheck = ({ url, timeoutMs = DEFAULT_TIMEOUT_MS }: OriginCheckOptions): Check => ({
  name: 'origin',
  criticality: 'critical',
  timeoutMs,
  async run() {
    // Not `HEAD`: some answer it with a 5xx for want of a handler.
    const response = await fetch(`${url.replace(/\/+$/, '')}/`, {
      headers: { 'User-Agent': 'parapet-health-check', 'Cache-Control': 'no-cache' },
      redirect: 'manual',
      // Bun sends a GET again where a connection that was kept turns out to be dead.
      keepalive: false,
      signal: AbortSignal.timeout(timeoutMs),
    }).catch((thrown: unknown) => {
      throw new CheckFailure(transportFailure(thrown))
    })
    response.body?.cancel().catch(() => {})
    if (response.status >= 500) throw new CheckFailure('bad_response')
  },
})
