/** `critical` down makes the instance unready, `degrading` down leaves it ready but `degraded`, `info` is only shown. */
export type Criticality = 'critical' | 'degrading' | 'info'

/**
 * A probe of one dependency, as data.
 *
 * @example
 * ```ts
 * const search: Check = { name: 'search', criticality: 'degrading', run: () => ping('https://search.example') }
 * ```
 */
export interface Check {
  name: string
  criticality: Criticality
  /** Milliseconds after which it counts as failed, whether it can be interrupted or not. Default 2000. */
  timeoutMs?: number
  /** Milliseconds for which an outcome is good. Default 10,000. */
  freshMs?: number
  /** Asking costs money or wakes something up: passive probing leaves it to real traffic. */
  costs?: boolean
  /** It may be asleep, and late once when it wakes up. */
  sleeps?: boolean
  /** One outcome is proof: it cannot be otherwise a moment later. */
  certain?: boolean
  /** Resolves when the dependency works, to `warn` where it does so barely, else rejects. */
  run(): Promise<unknown>
}

export const DEFAULT_TIMEOUT_MS = 2000
export const DEFAULT_FRESH_MS = 10_000
