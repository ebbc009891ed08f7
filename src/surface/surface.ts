import { credentialsOf } from '../gates/authenticate.ts'
import type { Phase } from '../gates/closed.ts'
import type { Gate, Outcome, Visit } from '../gates/gate.ts'
import type { Check } from '../health/check.ts'
import { runCheck, runChecks } from '../health/run-checks.ts'
import type { Principal } from '../identity/principal.ts'
import type { Resource, SurfaceRow } from './surface-table.ts'

export interface SurfaceOptions {
  table: readonly SurfaceRow[]
  phase: () => Phase
  checks: readonly Check[]
  /** Names of variables at fault, for operators. */
  faults: readonly string[]
  identify: (credentials: string) => Principal | undefined
  /** Milliseconds since the epoch. */
  clock: () => number
}

type Answer = (row: SurfaceRow, visit: Visit) => Outcome | Promise<Outcome>

/**
 * Answers the operational routes, whatever the state of the house: no limit, no authentication, no request log.
 * `GET` and `HEAD` only. Liveness touches nothing outside.
 */
export const surface = ({ table, phase, checks, faults, identify, clock }: SurfaceOptions): Gate => {
  const rows = new Map(table.map((row) => [row.path, row]))
  const timestamp = () => new Date(clock()).toISOString()
  const sees = (row: SurfaceRow, visit: Visit): boolean => {
    if (row.details === 'public') return true
    const credentials = credentialsOf(visit)
    return credentials !== undefined && identify(credentials) !== undefined
  }

  const resources: Record<Resource, Answer> = {
    liveness: () => json(200, { status: 'ok', timestamp: timestamp() }),

    async database(row, visit) {
      const check = checks.find(({ name }) => name === 'database')
      if (!check && phase() !== 'degraded') return { code: 'NOT_FOUND' }
      const result = phase() === 'degraded' || !check ? undefined : await runCheck(check, clock)
      if (result?.up) {
        return json(200, {
          status: 'ok',
          database: 'connected',
          ...(sees(row, visit) && { latencyMs: result.latencyMs }),
          timestamp: timestamp(),
        })
      }
      return json(503, {
        status: 'unavailable',
        database: 'disconnected',
        ...(result?.code && sees(row, visit) && { code: result.code }),
        timestamp: timestamp(),
      })
    },

    async readiness(row, visit) {
      // In degraded mode nothing outside is touched: what is wrong is known already.
      const asked = phase() === 'degraded' ? checks.filter(({ name }) => name === 'config') : checks
      const results = await runChecks(asked, clock)
      const down = (criticality: Check['criticality']) =>
        results.some((result) => !result.up && result.criticality === criticality)
      const ready = phase() !== 'draining' && !down('critical')
      const status = ready ? (down('degrading') ? 'degraded' : 'ok') : 'unavailable'
      const detailed = sees(row, visit)
      return json(ready ? 200 : 503, {
        ready,
        status,
        checks: results.map(({ name, up, criticality, latencyMs, code }) => ({
          name,
          status: up
            ? 'ok'
            : criticality === 'critical'
              ? 'unavailable'
              : criticality === 'info'
                ? 'info'
                : 'degraded',
          critical: criticality === 'critical',
          ...(detailed && { latencyMs, ...(code && { code }) }),
        })),
        ...(detailed && faults.length > 0 && { faults }),
        timestamp: timestamp(),
      })
    },
  }

  return function surface(visit) {
    const row =
      rows.get(visit.path) ?? (visit.path.endsWith('/') ? rows.get(visit.path.slice(0, -1)) : undefined)
    if (!row) return undefined
    visit.quiet = true
    if (visit.method !== 'GET' && visit.method !== 'HEAD') {
      return { code: 'METHOD_NOT_ALLOWED', headers: { Allow: 'GET, HEAD' } }
    }
    if (phase() === 'starting' && row.resource !== 'liveness') return undefined
    return resources[row.resource](row, visit)
  }
}

const json = (status: number, body: unknown): Response =>
  new Response(JSON.stringify(body), {
    status,
    headers: {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-store',
      ...(status === 503 && { 'Retry-After': '5' }),
    },
  })
