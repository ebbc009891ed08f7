import { HTTPException } from 'hono/http-exception'
import { databaseFailure } from '../data/database-failure.ts'
import { AppError, type ErrorCode, type Refusal } from '../errors.ts'
import type { Fields } from '../log.ts'

const BY_STATUS: Record<number, ErrorCode> = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  409: 'CONFLICT',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  422: 'VALIDATION_FAILED',
  429: 'RATE_LIMITED',
}

/**
 * Turns whatever was thrown into what the caller may know of it. Only our own errors and Hono's refusals
 * speak for themselves; everything else says nothing, whatever it is.
 */
export const explain = (thrown: unknown): Refusal => {
  try {
    if (thrown instanceof AppError) return thrown
    if (thrown instanceof HTTPException && thrown.status >= 400 && thrown.status < 500) {
      const code = BY_STATUS[thrown.status]
      const detail = thrown.message || undefined
      const headers = fittingHeaders(thrown)
      return code
        ? { code, detail, headers }
        : { code: 'BAD_REQUEST', detail, headers, status: thrown.status }
    }
    const failure = databaseFailure(thrown)
    if (failure) return { code: 'DATABASE_UNAVAILABLE', headers: { 'Retry-After': '5' } }
  } catch {
    // A thrown object may throw again when it is looked at.
  }
  return { code: 'INTERNAL_ERROR' }
}

/** Headers without which a refusal cannot be acted on, as far as the one who threw it gave them. */
const fittingHeaders = ({ status, res }: HTTPException): Record<string, string> => {
  const headers: Record<string, string> = status === 401 ? { 'WWW-Authenticate': 'Bearer realm="api"' } : {}
  for (const name of ['WWW-Authenticate', 'Retry-After', 'Allow']) {
    const value = res?.headers.get(name)
    if (value) headers[name] = value
  }
  return headers
}

/**
 * What the log may know of it: class, code, and a fingerprint that is the same for the same place in the code.
 * Never the message, the stack or a value: they may hold SQL, names of hosts or secrets.
 */
export const describe = (thrown: unknown): Fields => {
  try {
    if (!(thrown instanceof Error)) return { type: thrown === null ? 'null' : typeof thrown }
    const type = identifier(thrown.name) ?? 'Error'
    const frame = thrown.stack?.split('\n').find((line) => /^\s+at |@/.test(line))
    const at = frame?.match(/([\w.-]+\.[cm]?[jt]s)(?:\?[^:]*)?:(\d+)/)
    const code = identifier((thrown as { code?: unknown }).code)
    const causeCode = identifier((thrown.cause as { code?: unknown } | undefined)?.code)
    return {
      type,
      ...(code && { code }),
      ...(causeCode && { causeCode }),
      ...(at && { at: `${at[1]}:${at[2]}` }),
    }
  } catch {
    return { type: 'unknown' }
  }
}

const identifier = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[\w.-]{1,64}$/.test(value) ? value : undefined
