import { ERRORS, problem, type Refusal } from '../errors.ts'
import type { Visit } from '../gates/gate.ts'
import { errorPage } from './error-page.ts'

/** Whether a page is asked for rather than data. */
const wantsPage = (accept: string | undefined): boolean => {
  const page = accept?.indexOf('text/html') ?? -1
  if (page === -1) return false
  const json = accept?.search(/application\/(?:problem\+)?json/) ?? -1
  return json === -1 || page < json
}

/** Turns a refusal into an answer: `application/problem+json`, or a small page where one is asked for. */
export const respond = (refusal: Refusal, visit: Visit): Response => {
  visit.code = refusal.code
  const body = problem(refusal, {
    correlationId: visit.correlationId,
    traceId: visit.trace.traceId,
    instance: visit.rawPath,
    now: visit.now,
  })
  const status = refusal.status ?? ERRORS[refusal.code][0]
  const headers = { 'Cache-Control': 'no-store', ...refusal.headers, Vary: 'Accept' }
  if (!wantsPage(visit.header('accept'))) {
    const type = 'application/problem+json'
    return new Response(JSON.stringify(body), { status, headers: { ...headers, 'Content-Type': type } })
  }
  const nonce = crypto.randomUUID()
  return new Response(errorPage(body, nonce), {
    status,
    headers: {
      ...headers,
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': `default-src 'none'; style-src 'nonce-${nonce}'; frame-ancestors 'none'`,
    },
  })
}
