import { createRedactor, type RedactorOptions } from './redact.ts'

export const LEVELS = { debug: 10, info: 20, warn: 30, error: 40, silent: 99 } as const
export type Level = keyof typeof LEVELS

/** The closed set of what a line can be about. */
export type Category =
  | 'http'
  | 'auth'
  | 'tenant-isolation'
  | 'database'
  | 'config'
  | 'security'
  | 'audit'
  | 'job'
  | 'system'

type Value =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly Value[]
  | { readonly [key: string]: Value }
export type Fields = Readonly<Record<string, Value>>

/** One answered request, as the request log writes it. */
export interface RequestLine {
  method: string
  /** Path without its query. */
  path: string
  status: number
  /** Milliseconds. On Workers time stands still between I/O. */
  durationMs: number
  correlationId: string
  traceId: string
  spanId: string
  code?: string | undefined
  principal?: string | undefined
}

export interface Log {
  write(level: Exclude<Level, 'silent'>, category: Category, message: string, fields?: Fields): void
  request(line: RequestLine): void
}

export interface LogOptions extends RedactorOptions {
  /** Takes one finished line, without its line break. */
  sink: (line: string) => void
  level?: Level
  format?: 'json' | 'text'
  /** Milliseconds from which a request is logged as slow. */
  slowRequestMs?: number
  /** Milliseconds since the epoch. */
  clock?: () => number
}

/** Refusals that an operator asked for: nothing is wrong, whatever the status. */
const INTENDED = new Set(['MAINTENANCE'])
/** Checked when they came in, and worthless once altered. */
const IDS = new Set(['correlationId', 'traceId', 'spanId'])
const SENSITIVE_KEY = /authorization|cookie|token|secret|password|passwd|api[-_]?key|dsn|credential/i

/**
 * Writes one line per event: JSON for machines, or the guides' shapes for people.
 * Every text passes the redactor, and what stands under a sensitive key is never written.
 *
 * @example
 * ```ts
 * const log = createLog({ sink: console.log, format: 'text' })
 * log.request({ method: 'GET', path: '/api/users', status: 200, durationMs: 45, correlationId: 'abc', … })
 * // [request] GET /api/users 200 45ms [abc]
 * ```
 */
export const createLog = ({
  sink,
  level = 'info',
  format = 'json',
  slowRequestMs = 1000,
  clock = Date.now,
  ...redaction
}: LogOptions): Log => {
  const redact = createRedactor(redaction)
  const threshold = LEVELS[level]

  const clean = (value: Value): Value => {
    if (typeof value === 'string') return redact(value)
    if (Array.isArray(value)) return value.map(clean)
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(
        Object.entries(value).map(([key, inner]) => [
          key,
          IDS.has(key) ? inner : SENSITIVE_KEY.test(key) ? '[redacted]' : clean(inner),
        ]),
      )
    }
    return value
  }

  const json = (lineLevel: Level, category: Category, message: string, fields: Fields) =>
    sink(
      JSON.stringify({
        time: new Date(clock()).toISOString(),
        level: lineLevel,
        category,
        msg: message,
        ...(clean(fields) as object),
      }).replace(/[\u2028\u2029]/g, ' '),
    )

  return {
    write(lineLevel, category, message, fields = {}) {
      if (LEVELS[lineLevel] < threshold) return
      const safe = redact(message)
      if (format === 'json') return json(lineLevel, category, safe, fields)
      const { correlationId, ...rest } = clean(fields) as Record<string, Value>
      const details = Object.entries(rest).map(
        ([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
      )
      sink(oneLine(`[${category}] ${safe}${details.join('')}${correlationId ? ` [${correlationId}]` : ''}`))
    },

    request(line) {
      const slow = line.durationMs > slowRequestMs
      const failed = line.status >= 500 && !INTENDED.has(line.code ?? '')
      const lineLevel = failed ? 'error' : slow ? 'warn' : 'info'
      if (LEVELS[lineLevel] < threshold) return
      const { method, status, correlationId, path, ...rest } = line
      if (format === 'json') {
        return json(lineLevel, 'http', slow ? 'slow request' : 'request', {
          method,
          path,
          status,
          correlationId,
          ...rest,
        })
      }
      const duration = Math.round(line.durationMs)
      sink(
        oneLine(
          `[request] ${slow ? 'SLOW ' : ''}${method} ${redact(path)} ${status} ${duration}ms [${correlationId}]`,
        ),
      )
    },
  }
}

/** A line break in a value must not begin a line of its own. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
const oneLine = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' ')
