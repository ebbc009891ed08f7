import { errors } from '@upstash/redis/cloudflare'
import { type FailureCode, transportFailure } from '../health/failure.ts'

/** Why Redis could not be used, from what its client threw. */
export const redisFailure = (thrown: unknown): FailureCode => {
  if (thrown instanceof errors.UpstashError) {
    return /^(?:WRONGPASS|NOAUTH|NOPERM|Unauthorized)/i.test(thrown.message) ? 'auth' : 'bad_response'
  }
  // Its parse errors hold the whole body and are classes of their own; what `fetch` throws is not.
  return thrown instanceof Error && /^Upstash/.test(thrown.name) ? 'bad_response' : transportFailure(thrown)
}
