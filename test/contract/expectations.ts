import { expect } from 'vitest'
import type { ErrorCode } from '../../src/parapet.ts'
import type { Answer } from './harness.ts'

export const API_POLICY = "default-src 'none'; frame-ancestors 'none'"
const HSTS = 'max-age=31536000; includeSubDomains'

/** What section 3 of the contract puts on every response, whatever its status. */
export const expectGuarded = (answer: Answer, { production = true } = {}): void => {
  const seen = (name: string) => answer.header(name)
  expect
    .soft({
      'x-content-type-options': seen('x-content-type-options'),
      'x-frame-options': seen('x-frame-options'),
      'referrer-policy': seen('referrer-policy'),
      'x-xss-protection': seen('x-xss-protection'),
      'cross-origin-opener-policy': seen('cross-origin-opener-policy'),
      'cross-origin-resource-policy': seen('cross-origin-resource-policy'),
      'strict-transport-security': seen('strict-transport-security'),
    })
    .toEqual({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'strict-origin-when-cross-origin',
      'x-xss-protection': '0',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'strict-transport-security': production ? HSTS : undefined,
    })
  expect.soft(seen('permissions-policy')).toMatch(/geolocation=\(\)/)
  expect.soft(seen('content-security-policy')).toContain("frame-ancestors 'none'")
  expect.soft(seen('x-correlation-id')).toMatch(/^[A-Za-z0-9_.=-]{1,128}$/)
  expect.soft(seen('vary')?.split(/,\s*/)).toContain('Origin')
}

const MEMBERS = [
  'code',
  'correlationId',
  'detail',
  'error',
  'instance',
  'message',
  'status',
  'timestamp',
  'title',
  'traceId',
  'type',
]

export interface Problem {
  [member: string]: unknown
  code: ErrorCode
  detail: string
  correlationId: string
  traceId: string
  errors?: { path: string; code: string; message: string }[]
}

/** An error in the contract's one shape, with every header that the contract asks for. Returns its body. */
export const expectProblem = (
  answer: Answer,
  status: number,
  code: ErrorCode,
  {
    path,
    production = true,
    members = [],
  }: { path?: string; production?: boolean; members?: readonly string[] } = {},
): Problem => {
  expect(answer.status, answer.body.slice(0, 300)).toBe(status)
  expect(answer.header('content-type')).toBe('application/problem+json')
  const body: Problem = JSON.parse(answer.body)
  expect(
    Object.keys(body)
      .filter((member) => member !== 'errors')
      .sort(),
  ).toEqual([...MEMBERS, ...members].sort())
  expect(body.code).toBe(code)
  expect(body.status).toBe(status)
  expect(body.error).toBe(body.title)
  expect(body.message).toBe(body.detail)
  expect(body.type).toMatch(/^(?:urn:|https?:\/\/|about:blank)/)
  expect(body.correlationId).toBe(answer.header('x-correlation-id'))
  expect(body.traceId).toMatch(/^(?!0{32})[0-9a-f]{32}$/)
  expect(Math.abs(Date.now() - Date.parse(body.timestamp as string))).toBeLessThan(60_000)
  expect(body.instance).toMatch(/^\//)
  if (path !== undefined) expect(body.instance).toBe(path)
  expect(answer.header('content-security-policy')).toBe(API_POLICY)
  expectGuarded(answer, { production })
  if (status === 401) expect(answer.header('www-authenticate')).toMatch(/^Bearer /)
  if (status === 405) expect(answer.header('allow')).toMatch(/^[A-Z]+(?:, [A-Z]+)*$/)
  if (status === 429 || status === 503) expect(answer.header('cache-control')).toContain('no-store')
  if (code === 'DEGRADED' || code === 'STARTING') expect(answer.header('retry-after')).toMatch(/^[1-9]\d*$/)
  return body
}

/** A refusal by the runtime itself, before any code of ours: its status, or 0 where it only hangs up. */
export const expectRuntimesOwn = (answer: Answer, status: number): void => {
  expect(answer.status, answer.body.slice(0, 300)).toBe(status)
  expect(answer.status === 0 || answer.status >= 400).toBe(true)
}
