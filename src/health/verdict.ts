import type { Criticality } from './check.ts'

/** How a check stands: `warn` works, but not as it should. */
export type CheckStatus = 'ok' | 'warn' | 'down' | 'unknown'

/** How the instance stands. Traffic should come while it is `ok` or `degraded`. */
export type Verdict = 'ok' | 'degraded' | 'unavailable' | 'unknown'

/** What each check means for the whole. A table, so that no combination is left out. */
const MEANING: Readonly<Record<Criticality, Readonly<Record<CheckStatus, Verdict>>>> = {
  critical: { ok: 'ok', warn: 'degraded', down: 'unavailable', unknown: 'unknown' },
  degrading: { ok: 'ok', warn: 'degraded', down: 'degraded', unknown: 'degraded' },
  info: { ok: 'ok', warn: 'ok', down: 'ok', unknown: 'ok' },
}

const WORST_FIRST: readonly Verdict[] = ['unavailable', 'unknown', 'degraded', 'ok']

/** The worst that any check means. What is known to be down says more than what is not known. */
export const verdictOf = (checks: readonly { criticality: Criticality; status: CheckStatus }[]): Verdict => {
  const meanings = checks.map(({ criticality, status }) => MEANING[criticality][status])
  return WORST_FIRST.find((verdict) => meanings.includes(verdict)) ?? 'ok'
}

export const isReady = (verdict: Verdict): boolean => verdict === 'ok' || verdict === 'degraded'
