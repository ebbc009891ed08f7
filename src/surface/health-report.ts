import type { Reading } from '../health/monitor.ts'
import type { CheckStatus, Verdict } from '../health/verdict.ts'

/** The words that a prober wants to read instead of ours, such as `healthy`, `warn`, `down`. */
export interface Words {
  ok?: string
  degraded?: string
  unavailable?: string
}

/** What a probe found, before it is written in anybody's words. */
export interface HealthReport {
  verdict: Verdict
  readings: readonly Reading[]
  /** Who asks may see more than states. */
  detailed: boolean
  /** Left out where the same state must be the same bytes. */
  timestamp: string | undefined
}

/** Consul keeps 4 KB of an answer, and so do others. */
const MAX_BYTES = 4000

/** A check's own state in the words of the whole: `degrading` checks degrade, `info` ones are only shown. */
export const wordOf = ({ status, criticality }: Pick<Reading, 'status' | 'criticality'>): string => {
  if (status === 'ok') return 'ok'
  if (criticality === 'info') return 'info'
  if (status === 'warn') return 'degraded'
  if (status === 'unknown') return 'unknown'
  return criticality === 'critical' ? 'unavailable' : 'degraded'
}

export const inWords = (status: string, words: Words = {}): string => words[status as keyof Words] ?? status

/** What an operator reads of a check beside its state. */
export const detailsOf = ({ code, latencyMs, warming, seenAt, since }: Reading) => ({
  ...(latencyMs !== undefined && { latencyMs }),
  ...(code && { code }),
  ...(warming && { warming }),
  ...(seenAt !== undefined && { seenAt: new Date(seenAt).toISOString() }),
  ...(since !== undefined && { since: new Date(since).toISOString() }),
})

/** `{ready, status, checks, timestamp}`: what the contract of readiness is. */
export const asJson = (
  { verdict, readings, detailed, timestamp }: HealthReport,
  ready: boolean,
  words: Words | undefined,
  more: object = {},
) => {
  const document = (shown: readonly Reading[]) => ({
    ready,
    status: inWords(verdict, words),
    ...(readings.some(({ stale }) => stale) && { stale: true }),
    checks: shown.map((reading) => ({
      name: reading.name,
      status: inWords(wordOf(reading), words),
      critical: reading.criticality === 'critical',
      ...(reading.stale && { stale: true }),
      ...(detailed && detailsOf(reading)),
    })),
    ...(shown.length < readings.length && { omitted: readings.length - shown.length }),
    ...more,
    ...(timestamp !== undefined && { timestamp }),
  })
  return fitting(readings, document)
}

const DRAFT_STATUS: Readonly<Record<Verdict, string>> = {
  ok: 'pass',
  degraded: 'warn',
  unavailable: 'fail',
  unknown: 'fail',
}
const DRAFT_CHECK: Readonly<Record<CheckStatus, string>> = {
  ok: 'pass',
  warn: 'warn',
  down: 'fail',
  unknown: 'fail',
}

/**
 * The document of `application/health+json`.
 *
 * @see https://datatracker.ietf.org/doc/html/draft-inadarei-api-health-check-06
 */
export const asHealthJson = ({ verdict, readings, detailed, timestamp }: HealthReport) => {
  const document = (shown: readonly Reading[]) => ({
    status: DRAFT_STATUS[verdict],
    ...(verdict !== 'ok' && { output: verdict }),
    checks: Object.fromEntries(
      shown.map((reading) => [
        detailed && reading.latencyMs !== undefined ? `${reading.name}:responseTime` : reading.name,
        [
          {
            status: DRAFT_CHECK[reading.status],
            ...(detailed &&
              reading.latencyMs !== undefined && { observedValue: reading.latencyMs, observedUnit: 'ms' }),
            ...(detailed && reading.code && { output: reading.code }),
            ...(timestamp !== undefined && { time: timestamp }),
          },
        ],
      ]),
    ),
  })
  return fitting(readings, document)
}

/** For people at a terminal: one word, and for operators who ask for it a line for each check. */
export const asText = (
  { verdict, readings }: HealthReport,
  words: Words | undefined,
  verbose: boolean,
): string => {
  const lines = readings.map((reading) => {
    const { latencyMs, code, stale } = reading
    const facts = [
      wordOf(reading),
      ...(latencyMs === undefined ? [] : [`${latencyMs} ms`]),
      ...(code ? [code] : []),
      ...(stale ? ['stale'] : []),
    ]
    return `[${reading.status === 'ok' ? '+' : '-'}] ${reading.name} ${facts.join(', ')}\n`
  })
  return `${verbose ? lines.join('') : ''}${inWords(verdict, words)}\n`
}

/** Leaves out what is well until the rest fits. */
const fitting = <T>(readings: readonly Reading[], document: (shown: readonly Reading[]) => T): T => {
  const fits = (value: T) => JSON.stringify(value).length <= MAX_BYTES
  const whole = document(readings)
  if (fits(whole)) return whole
  const worstFirst = readings.toSorted((a, b) => Number(a.status === 'ok') - Number(b.status === 'ok'))
  for (let count = readings.length - 1; count > 0; count--) {
    const part = document(worstFirst.slice(0, count))
    if (fits(part)) return part
  }
  return document([])
}
