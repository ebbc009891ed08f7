import type { Check } from '../check.ts'
import { CheckFailure } from '../failure.ts'

/** Whether every critical variable is there and accepted. */
export const configCheck = (problems: readonly unknown[]): Check => ({
  name: 'config',
  criticality: 'critical',
  certain: true,
  run: () => (problems.length > 0 ? Promise.reject(new CheckFailure('bad_response')) : Promise.resolve()),
})
