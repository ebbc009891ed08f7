import type { Refusal } from '../errors.ts'
import type { Maintenance } from '../switches/maintenance.ts'
import type { BypassCookie } from './bypass-cookie.ts'
import { addressRanges } from './client-address.ts'
import type { Gate, Visit } from './gate.ts'

/** Seconds after which to come back where no end is known. */
const RETRY_SECONDS = 60

export interface MaintenanceGateOptions {
  /** The maintenance at a moment, or nothing while the house is open. Give the same object while it is the same one. */
  at: (now: number) => Partial<Maintenance> | undefined
  /** The caller's address, as far as it is proven. Without it no address passes. */
  address?: (visit: Visit) => string | undefined
  /** Without it no cookie passes. */
  bypass?: BypassCookie | undefined
}

/**
 * Closes the house while it is being worked on: 503 with `Retry-After`, to everybody but allowed addresses and those
 * who show a bypass cookie.
 *
 * @example
 * ```ts
 * const works = { until: Date.parse('2030-01-31T18:00:00Z'), message: 'We are moving house.' }
 * app.use(wear(maintenance({ at: (now) => (now < works.until ? works : undefined) })))
 * ```
 */
export const maintenance = ({ at, address, bypass }: MaintenanceGateOptions): Gate => {
  let ranges: readonly string[] = []
  let isAllowed = addressRanges(ranges)
  const passes = (visit: Visit, allow: readonly string[]): boolean => {
    if (allow.length === 0 || !address) return false
    if (allow !== ranges) {
      isAllowed = addressRanges(allow)
      ranges = allow
    }
    return isAllowed(address(visit))
  }

  return function maintenance(visit) {
    const current = at(visit.now)
    if (!current) return undefined
    const { until, message, allow = [], epoch = '' } = current
    if (passes(visit, allow)) return undefined
    const admitted = bypass?.admits(visit, { epoch, until }) ?? false
    if (admitted instanceof Promise) {
      return admitted.then((isAdmitted) => (isAdmitted ? undefined : refuse(until, message, visit.now)))
    }
    return refuse(until, message, visit.now)
  }
}

const refuse = (until: number | undefined, message: string | undefined, now: number): Refusal => {
  const seconds = until === undefined ? RETRY_SECONDS : Math.max(1, Math.ceil((until - now) / 1000))
  return {
    code: 'MAINTENANCE',
    detail: message,
    headers: { 'Retry-After': String(seconds) },
    ...(until !== undefined && { members: { until: new Date(until).toISOString() } }),
  }
}
