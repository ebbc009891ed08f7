/** What an operational route shows. */
export type Resource = 'liveness' | 'database' | 'readiness'

export interface SurfaceRow {
  path: string
  resource: Resource
  /** Who gets the details, such as the code of a failure. The status is the same for everyone. */
  details: 'public' | 'operator'
}

/** The operational routes, as data. An app may bring a table of its own. */
export const SURFACE: readonly SurfaceRow[] = [
  { path: '/health', resource: 'liveness', details: 'public' },
  { path: '/livez', resource: 'liveness', details: 'public' },
  { path: '/health/db', resource: 'database', details: 'public' },
  { path: '/health/ready', resource: 'readiness', details: 'operator' },
  { path: '/readyz', resource: 'readiness', details: 'operator' },
]
