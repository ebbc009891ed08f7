import { VARIABLES } from '../../config/variables.ts'
import { type Check, DEFAULT_TIMEOUT_MS } from '../check.ts'
import { CheckFailure } from '../failure.ts'
import { fetchJson } from '../fetch-json.ts'

export interface AuthCheckOptions {
  /** The OIDC issuer, exactly as its tokens name it. */
  issuer: string
  /** Milliseconds for both requests together. */
  timeoutMs?: number
}

/**
 * The issuer's discovery document must be its own and lead to at least one key. Two requests at most. Keys that were
 * fetched before go on verifying tokens, so its loss degrades.
 *
 * @see https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig
 */
export const authCheck = ({ issuer, timeoutMs = DEFAULT_TIMEOUT_MS }: AuthCheckOptions): Check => ({
  name: 'auth',
  criticality: 'degrading',
  timeoutMs,
  freshMs: 300_000,
  async run() {
    const signal = AbortSignal.timeout(timeoutMs)
    const address = `${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`
    const discovery = membersOf(await fetchJson(address, signal))
    if (typeof discovery.issuer !== 'string' || typeof discovery.jwks_uri !== 'string') {
      throw new CheckFailure('bad_response')
    }
    // The slash at the end counts: so it does in the tokens.
    if (discovery.issuer !== issuer) throw new CheckFailure('misconfigured')
    if (!isTrustworthy(discovery.jwks_uri)) throw new CheckFailure('bad_response')
    const { keys } = membersOf(await fetchJson(discovery.jwks_uri, signal))
    if (!Array.isArray(keys) || !keys.some((key) => typeof membersOf(key).kty === 'string')) {
      throw new CheckFailure('bad_response')
    }
  },
})

const isTrustworthy = (url: string): boolean => VARIABLES.ISSUER_URL.schema.safeParse(url).success

const membersOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
