/** The ids by which one request is followed through several services (W3C Trace Context, level 1). */
export interface TraceContext {
  /** 32 hexadecimal digits, the caller's where it sent a valid `traceparent`. */
  traceId: string
  /** 16 hexadecimal digits, always our own. */
  spanId: string
  /** `01` when the caller samples, else `00`. */
  flags: string
}

const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(-.*)?$/

/**
 * Continues the caller's trace, or begins one where its header is missing or not valid.
 *
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
export const continueTrace = (header: string | undefined): TraceContext => {
  const spanId = randomHex().slice(-16)
  const [, version, traceId, flags, rest] = header?.match(TRACEPARENT) ?? []
  // Version 00 has exactly four parts; later versions may have more.
  if (!traceId || (version === '00' && rest)) return { traceId: randomHex(), spanId, flags: '00' }
  return { traceId, spanId, flags: Number.parseInt(flags as string, 16) & 1 ? '01' : '00' }
}

/** The header for the next service. */
export const traceparent = ({ traceId, spanId, flags }: TraceContext): string =>
  `00-${traceId}-${spanId}-${flags}`

const randomHex = (): string => crypto.randomUUID().replaceAll('-', '')
