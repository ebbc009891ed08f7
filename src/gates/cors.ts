import type { Gate, Visit } from './gate.ts'

export interface CorsOptions {
  /** Origins that may call, as browsers write them, or `['*']` for any without credentials. */
  origins: readonly string[]
  credentials?: boolean
  /** Visits whose preflight is not answered. */
  except?: (visit: Visit) => boolean
  /** Seconds that a browser may keep the answer to a preflight. */
  maxAge?: number
}

const ALLOW_METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE'
const EXPOSED = [
  'X-Correlation-Id',
  'RateLimit',
  'RateLimit-Policy',
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'Retry-After',
].join(', ')
const HEADER_LIST = /^[!#$%&'*+.^_`|~0-9a-z-]+(?:\s*,\s*[!#$%&'*+.^_`|~0-9a-z-]+)*$/i

/**
 * Lets browsers of the allowed origins read every answer, errors included, and answers real preflights.
 * An `OPTIONS` that is no preflight, or comes from elsewhere, goes on to the other gates.
 *
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export const cors = ({ origins, credentials = true, except, maxAge = 600 }: CorsOptions): Gate => {
  const allowed = new Set(origins)
  const any = allowed.has('*')

  return function cors(visit) {
    const origin = visit.header('origin')
    if (origin === undefined || !(any || allowed.has(origin))) return undefined

    visit.answerHeaders.push(['Access-Control-Allow-Origin', any ? '*' : origin])
    if (credentials && !any) visit.answerHeaders.push(['Access-Control-Allow-Credentials', 'true'])

    const method = visit.header('access-control-request-method')
    if (visit.method !== 'OPTIONS' || method === undefined || except?.(visit)) {
      visit.answerHeaders.push(['Access-Control-Expose-Headers', EXPOSED])
      return undefined
    }
    const headers = visit.header('access-control-request-headers')
    return new Response(null, {
      status: 204,
      headers: {
        'Access-Control-Allow-Methods': ALLOW_METHODS,
        ...(headers && HEADER_LIST.test(headers) && { 'Access-Control-Allow-Headers': headers }),
        'Access-Control-Max-Age': String(maxAge),
        Vary: 'Access-Control-Request-Method, Access-Control-Request-Headers',
      },
    })
  }
}
