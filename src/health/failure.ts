/**
 * Why something does not work: the closed set that the surface shows.
 *
 * The first five are of a dependency that could not be used. `pending`: migrations that this build needs are not
 * applied. `exhausted`: there is none left, of the disk or of memory. `misconfigured`: it works, but not with what the
 * environment says.
 */
export type FailureCode =
  | 'timeout'
  | 'refused'
  | 'auth'
  | 'dns'
  | 'bad_response'
  | 'pending'
  | 'exhausted'
  | 'misconfigured'

/** A dependency that answered, but not as it should. */
export class CheckFailure extends Error {
  readonly failure: FailureCode
  constructor(failure: FailureCode) {
    super(failure)
    this.name = 'CheckFailure'
    this.failure = failure
  }
}

/** Why a request did not come back, from the error that `fetch` threw. */
export const transportFailure = (thrown: unknown): FailureCode => {
  for (
    let error: unknown = thrown, depth = 0;
    error instanceof Error && depth < 5;
    error = error.cause, depth++
  ) {
    const code = String((error as { code?: unknown }).code ?? '')
    if (error.name === 'TimeoutError' || error.name === 'AbortError' || /TIMEDOUT|TIMEOUT/.test(code))
      return 'timeout'
    if (/ENOTFOUND|EAI_AGAIN/.test(code) || /\bDNS\b/i.test(error.message)) return 'dns'
  }
  return 'refused'
}
