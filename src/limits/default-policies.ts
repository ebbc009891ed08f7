import type { Policy } from './policy.ts'

export interface DefaultPoliciesOptions {
  /** `RATE_LIMIT_MAX_REQUESTS` */
  limit: number
  /** `RATE_LIMIT_WINDOW_MS` */
  windowMs: number
}

/** What holds where a team says nothing: few tries to log in, and so many requests of everyone. */
export const defaultPolicies = ({ limit, windowMs }: DefaultPoliciesOptions): Policy[] => [
  {
    name: 'login',
    match: 'POST /api/auth/login',
    by: 'ip',
    limit: 5,
    per: '15m',
    strict: true,
    // Charged before the password is checked, so that guesses side by side gain nothing.
    // Not a redirect: a form answers a wrong password with one too.
    refund: (status) => status >= 200 && status < 300,
    onStoreFailure: 'closed',
  },
  {
    name: 'api',
    match: '/*',
    by: 'user',
    limit,
    per: windowMs % 1000 === 0 ? `${windowMs / 1000}s` : `${windowMs}ms`,
  },
]

/** The defaults and a team's own. One of the same name takes the place of a default. */
export const withDefaults = (defaults: readonly Policy[], own: readonly Policy[]): Policy[] => [
  ...defaults.filter(({ name }) => !own.some((policy) => policy.name === name)),
  ...own,
]
