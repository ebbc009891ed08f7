import { within } from '../deadline.ts'
import { type Check, type CheckResult, DEFAULT_TIMEOUT_MS } from './check.ts'
import { CheckFailure, transportFailure } from './failure.ts'

/** Runs all checks side by side, each within its own time, and never throws. */
export const runChecks = (checks: readonly Check[], clock: () => number): Promise<CheckResult[]> =>
  Promise.all(checks.map((check) => runCheck(check, clock)))

export const runCheck = async (check: Check, clock: () => number): Promise<CheckResult> => {
  const { name, criticality } = check
  const began = clock()
  const since = () => clock() - began
  try {
    await within(check.timeoutMs ?? DEFAULT_TIMEOUT_MS, check.run(), () => new CheckFailure('timeout'))
    return { name, criticality, up: true, latencyMs: since() }
  } catch (thrown) {
    const code = thrown instanceof CheckFailure ? thrown.failure : transportFailure(thrown)
    return { name, criticality, up: false, latencyMs: since(), code }
  }
}
