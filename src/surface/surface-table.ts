import type { Words } from './health-report.ts'

/** What an operational route shows, or lets an operator change. */
export type Resource =
  | 'liveness'
  | 'database'
  | 'readiness'
  | 'startup'
  | 'health'
  | 'metrics'
  | 'maintenance'
  | 'bypass'
  | 'blocks'

export interface SurfaceRow {
  path: string
  resource: Resource
  /**
   * Who gets the details of a probe, such as the code of a failure; the status is the same for everyone.
   * What is no probe is for operators alone, whatever stands here.
   */
  details: 'public' | 'operator'
  /** What a probe says in place of `ok`, `degraded` and `unavailable`: `{ ok: 'healthy', unavailable: 'down' }`. */
  words?: Words
  /** `false` leaves the time out of a probe's body, so that the same state is the same bytes. */
  timestamp?: false
}

/** The operational routes, as data. An app may bring a table of its own. */
export const SURFACE: readonly SurfaceRow[] = [
  { path: '/health', resource: 'liveness', details: 'public' },
  { path: '/livez', resource: 'liveness', details: 'public' },
  { path: '/health/db', resource: 'database', details: 'public' },
  { path: '/health/ready', resource: 'readiness', details: 'operator' },
  { path: '/readyz', resource: 'readiness', details: 'operator' },
  { path: '/startupz', resource: 'startup', details: 'operator' },
  { path: '/api/admin/health', resource: 'health', details: 'operator' },
  { path: '/metrics', resource: 'metrics', details: 'operator' },
  { path: '/api/admin/maintenance', resource: 'maintenance', details: 'operator' },
  { path: '/api/admin/maintenance/bypass', resource: 'bypass', details: 'operator' },
  { path: '/api/admin/blocks', resource: 'blocks', details: 'operator' },
]
