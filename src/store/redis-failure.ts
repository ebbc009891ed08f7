import { errors } from '@upstash/redis/cloudflare'
import { type FailureCode, transportFailure } from '../health/failure.ts'

/** Why Redis could not be used, from what its client threw. */
export const redisFailure = (thrown: unknown): FailureCode => {
  if (thrown instanceof errors.UpstashError) {
    return /^(?:WRONGPASS|NOAUTH|NOPERM|Unauthorized)/i.test(thrown.message) ? 'auth' : 'bad_response'
  }
  // The client stumbles over an answer that is not Redis'; what `fetch` throws says so, or has a code or a cause.
  const stumbled =
    thrown instanceof TypeError &&
    !('code' in thrown) &&
    thrown.cause === undefined &&
    !/fetch/i.test(thrown.message)
  const unreadable = thrown instanceof Error && /^Upstash/.test(thrown.name)
  return stumbled || unreadable ? 'bad_response' : transportFailure(thrown)
}
