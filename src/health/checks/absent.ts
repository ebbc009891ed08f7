import type { Check, Criticality } from '../check.ts'
import { CheckFailure } from '../failure.ts'

/**
 * A dependency that is not configured: a Redis, without which limits, switches and metrics are those of one
 * instance, or in development the database.
 */
export const absentCheck = (name: string, criticality: Criticality): Check => ({
  name,
  criticality,
  certain: true,
  run: () => Promise.reject(new CheckFailure('refused')),
})
