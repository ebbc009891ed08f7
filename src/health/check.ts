import type { FailureCode } from './failure.ts'

/**
 * A probe of one dependency.
 *
 * `critical` down makes the instance unready, `degrading` down leaves it ready but `degraded`, `info` is only shown.
 */
export interface Check {
  name: string
  criticality: 'critical' | 'degrading' | 'info'
  /** Milliseconds after which it counts as failed. Default 2000. */
  timeoutMs?: number
  /** Resolves when the dependency works, else rejects. */
  run(): Promise<void>
}

export interface CheckResult {
  name: string
  criticality: Check['criticality']
  up: boolean
  latencyMs: number
  code?: FailureCode
}

export const DEFAULT_TIMEOUT_MS = 2000
