import { blockedMatcher } from '../switches/blocked-pattern.ts'
import type { Gate, Visit } from './gate.ts'

/** Endpoints that fill or empty a database and have no business in production. */
export const DESTRUCTIVE_PATHS: readonly string[] = [
  '/api/seed',
  '/api/demo',
  '/api/test-data',
  '/api/mock',
  '/api/reset-demo',
  '/api/clear-data',
]

export interface BlockedEndpointsOptions {
  /** Default: {@link DESTRUCTIVE_PATHS} and everything below them. */
  isBlocked?: (visit: Visit) => boolean
  /** Told of every attempt. */
  onBlocked?: (visit: Visit) => void
}

/** Refuses destructive endpoints for every method, before anyone is asked who they are. */
export const blockedEndpoints = ({
  isBlocked = destructivePath,
  onBlocked,
}: BlockedEndpointsOptions = {}): Gate => {
  return function blockedEndpoints(visit) {
    if (!isBlocked(visit)) return undefined
    onBlocked?.(visit)
    return { code: 'ENDPOINT_BLOCKED' }
  }
}

/**
 * Whether a path is one of these, or below one, as the most lenient router behind us could read it: letter case,
 * look-alike letters, matrix parameters (`;a=b`), a file ending (`.json`), spaces and an encoded `?` or `#` make
 * no difference.
 */
export const blockedPath = (paths: readonly string[]): ((path: string) => boolean) =>
  blockedMatcher(paths.map((path) => `${path}/*`))

const isDestructivePath = blockedPath(DESTRUCTIVE_PATHS)
const destructivePath = ({ path }: Visit): boolean => isDestructivePath(path)
