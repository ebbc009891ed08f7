import type { Refusal } from '../errors.ts'
import type { Principal } from '../identity/principal.ts'
import type { Gate, Visit } from './gate.ts'

export interface AuthenticateOptions {
  /** Turns credentials into who is asking, or nothing. */
  identify: (credentials: string) => Principal | undefined
  /** Requests that may go on without a principal. */
  isOpen: (visit: Visit) => boolean
  /** Where no route would answer, the caller hears that instead: 401 means that there is something to see. */
  unless: { has(visit: Visit): boolean; unknown(visit: Visit): Refusal }
}

/** Notes who is asking, and refuses a request that needs to be somebody's and is nobody's. */
export const authenticate = ({ identify, isOpen, unless }: AuthenticateOptions): Gate => {
  return function authenticate(visit) {
    const credentials = credentialsOf(visit)
    visit.principal = credentials === undefined ? undefined : identify(credentials)
    if (visit.principal || isOpen(visit)) return undefined
    if (!unless.has(visit)) return unless.unknown(visit)
    const error = credentials === undefined ? '' : ', error="invalid_token"'
    return { code: 'UNAUTHORIZED', headers: { 'WWW-Authenticate': `Bearer realm="api"${error}` } }
  }
}

/**
 * The token of `Authorization: Bearer …` (RFC 6750) or `X-API-Key`. Two different ones prove nothing.
 */
export const credentialsOf = (visit: Pick<Visit, 'header'>): string | undefined => {
  const bearer = bearerOf(visit)
  const key = visit.header('x-api-key')
  if (bearer && key && bearer !== key) return ''
  return bearer || key
}

/** The token of `Authorization: Bearer …` alone. */
export const bearerOf = (visit: Pick<Visit, 'header'>): string | undefined =>
  /^bearer +([\w~+/.-]+=*)$/i.exec(visit.header('authorization') ?? '')?.[1]
