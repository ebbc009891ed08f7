/**
 * The closed set of errors that Parapet answers with: code → status, title, and what the caller reads when
 * nothing more precise may be said.
 */
export const ERRORS = {
  BAD_REQUEST: [400, 'Bad Request', 'The request could not be understood.'],
  BAD_REQUEST_TARGET: [
    400,
    'Bad Request',
    'The request target or a header can be read in more than one way.',
  ],
  INVALID_JSON: [400, 'Bad Request', 'The request body is not valid JSON.'],
  UNAUTHORIZED: [401, 'Unauthorized', 'Valid credentials are required.'],
  FORBIDDEN: [403, 'Forbidden', 'You may not do this.'],
  ENDPOINT_BLOCKED: [403, 'Forbidden', 'This endpoint is blocked in this environment.'],
  NOT_FOUND: [404, 'Not Found', 'There is nothing here.'],
  METHOD_NOT_ALLOWED: [405, 'Method Not Allowed', 'This method is not supported here.'],
  CONFLICT: [409, 'Conflict', 'The request conflicts with what is stored.'],
  PAYLOAD_TOO_LARGE: [413, 'Content Too Large', 'The request body is larger than this service accepts.'],
  UNSUPPORTED_MEDIA_TYPE: [
    415,
    'Unsupported Media Type',
    'The content type of the request is not supported here.',
  ],
  VALIDATION_FAILED: [
    422,
    'Unprocessable Content',
    'The request is well formed, but some values are not valid.',
  ],
  RATE_LIMITED: [429, 'Too Many Requests', 'Too many requests. Try again later.'],
  INTERNAL_ERROR: [500, 'Internal Server Error', 'An unexpected error occurred'],
  UPGRADE_NOT_SUPPORTED: [501, 'Not Implemented', 'Protocol upgrades are not supported on this runtime.'],
  ORIGIN_UNREACHABLE: [502, 'Bad Gateway', 'The service behind this gateway could not be reached.'],
  DATABASE_UNAVAILABLE: [503, 'Service Unavailable', 'The database cannot be reached right now.'],
  LIMITER_UNAVAILABLE: [503, 'Service Unavailable', 'Limits cannot be checked right now. Try again later.'],
  MAINTENANCE: [503, 'Service Unavailable', 'The service is being worked on and will be back.'],
  OVERLOADED: [503, 'Service Unavailable', 'The service has more to do than it can. Try again later.'],
  SWITCHES_UNAVAILABLE: [
    503,
    'Service Unavailable',
    'The switches cannot be reached right now. They stand as they did.',
  ],
  DEGRADED: [503, 'Service Unavailable', 'The service is not configured completely and only answers probes.'],
  REQUEST_TIMEOUT: [503, 'Service Unavailable', 'The request took too long and was given up.'],
  STARTING: [503, 'Service Unavailable', 'The service is starting.'],
  ORIGIN_TIMEOUT: [504, 'Gateway Timeout', 'The service behind this gateway did not answer in time.'],
} as const satisfies Record<string, readonly [status: number, title: string, message: string]>

export type ErrorCode = keyof typeof ERRORS

/** One value that was refused: where it is, which rule it breaks, in words. Never the value itself. */
export interface Issue {
  path: string
  code: string
  message: string
}

/** A refusal as data: what a gate returns, and what {@link AppError} carries. */
export interface Refusal {
  readonly code: ErrorCode
  /** Said to the caller in place of the code's own message. Never a secret, host name, stack or SQL. */
  readonly detail?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly errors?: readonly Issue[] | undefined
  /** URI of the problem's type, where there is a registered one. */
  readonly type?: string | undefined
  /** More members of the body, such as what was violated. */
  readonly members?: Readonly<Record<string, unknown>> | undefined
  /** Keeps the status of a foreign exception that the table has no code for, such as 410. */
  readonly status?: number | undefined
}

/**
 * The one error that reaches a caller with its own words. Everything else thrown is `INTERNAL_ERROR`.
 *
 * @example
 * ```ts
 * throw new AppError('CONFLICT', { detail: 'A customer with this e-mail address exists.' })
 * ```
 */
export class AppError extends Error implements Refusal {
  readonly code: ErrorCode
  readonly detail: string | undefined
  readonly headers: Readonly<Record<string, string>> | undefined
  readonly errors: readonly Issue[] | undefined
  readonly type: string | undefined
  readonly members: Readonly<Record<string, unknown>> | undefined

  constructor(code: ErrorCode, options: Omit<Refusal, 'code' | 'status'> & { cause?: unknown } = {}) {
    super(options.detail ?? ERRORS[code][2], { cause: options.cause })
    this.name = 'AppError'
    this.code = code
    this.detail = options.detail
    this.headers = options.headers
    this.errors = options.errors
    this.type = options.type
    this.members = options.members
  }
}

/** Who and what an answer belongs to, for the body of an error. */
export interface ProblemContext {
  correlationId: string
  traceId: string
  /** Path of the request, without its query. */
  instance: string
  /** Milliseconds since the epoch. */
  now: number
}

/** The members of an `application/problem+json` body (RFC 9457), with those that the guides show. */
export const problem = (refusal: Refusal, context: ProblemContext) => {
  const [ownStatus, ownTitle, message] = ERRORS[refusal.code]
  const title = refusal.status === undefined ? ownTitle : 'Request Refused'
  const detail = refusal.detail ?? message
  return {
    type: refusal.type ?? `urn:parapet:problem:${refusal.code.toLowerCase().replaceAll('_', '-')}`,
    title,
    status: refusal.status ?? ownStatus,
    detail,
    instance: context.instance,
    error: title,
    message: detail,
    code: refusal.code,
    correlationId: context.correlationId,
    traceId: context.traceId,
    timestamp: new Date(context.now).toISOString(),
    ...(refusal.errors && { errors: refusal.errors }),
    ...refusal.members,
  }
}
