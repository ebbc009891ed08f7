import type { Visit } from '../gates/gate.ts'

export interface SecurityHeadersOptions {
  /** Send `Strict-Transport-Security`. */
  hsts: boolean
}

export const API_POLICY = "default-src 'none'; frame-ancestors 'none'"
/** For a page of the team's or the origin's own that brings no policy: nothing that could break it. */
const PAGE_POLICY = "frame-ancestors 'none'"

/** Headers that a route may set to something else. */
const DEFAULTS = [
  ['X-Frame-Options', 'DENY'],
  ['Referrer-Policy', 'strict-origin-when-cross-origin'],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  [
    'Permissions-Policy',
    'accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()',
  ],
] as const

/**
 * Makes the function that dresses an answer, whatever it is: security headers, the correlation id,
 * what the gates added, and `no-store` where the caller was somebody.
 *
 * @see https://owasp.org/www-project-secure-headers/
 */
export const dressing = ({
  hsts,
}: SecurityHeadersOptions): ((response: Response, visit: Visit) => Response) => {
  const fixed: [string, string][] = [
    ['X-Content-Type-Options', 'nosniff'],
    // The filter that "1; mode=block" switches on in old browsers can itself be abused.
    ['X-XSS-Protection', '0'],
    ...(hsts
      ? ([['Strict-Transport-Security', 'max-age=31536000; includeSubDomains']] as [string, string][])
      : []),
  ]

  const wear = (response: Response, visit: Visit): Response => {
    const { headers } = response
    for (const [name, value] of fixed) headers.set(name, value)
    for (const [name, value] of DEFAULTS) if (!headers.has(name)) headers.set(name, value)
    if (!headers.has('Content-Security-Policy')) {
      const isPage = headers.get('Content-Type')?.startsWith('text/html')
      headers.set('Content-Security-Policy', isPage ? PAGE_POLICY : API_POLICY)
    }
    headers.set('X-Correlation-Id', visit.correlationId)
    headers.append('Vary', 'Origin')
    for (const [name, value] of visit.answerHeaders) headers.set(name, value)
    if (visit.principal && !/no-store|private/.test(headers.get('Cache-Control') ?? '')) {
      headers.set('Cache-Control', 'no-store')
    }
    return response
  }

  return (response, visit) => {
    // The answer to an upgrade carries a socket and cannot be made again.
    if (response.status === 101) return response
    try {
      return wear(response, visit)
    } catch {
      // Headers of a redirect or of a fetched answer cannot be changed.
      return wear(new Response(response.body, response), visit)
    }
  }
}
