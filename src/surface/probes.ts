import { credentialsOf } from '../gates/authenticate.ts'
import type { Phase } from '../gates/closed.ts'
import type { Visit } from '../gates/gate.ts'
import type { Check, CheckResult } from '../health/check.ts'
import { runCheck, runChecks } from '../health/run-checks.ts'
import type { Principal } from '../identity/principal.ts'
import { type Handler, type Handlers, json } from './resource.ts'
import type { SurfaceRow } from './surface-table.ts'

export interface ProbesOptions {
  phase: () => Phase
  checks: readonly Check[]
  /** Names of variables at fault, for operators. */
  faults: readonly string[]
  /** Recognises operators. */
  identify: (credentials: string) => Principal | undefined
  /** Whether the house is closed for maintenance, where that makes it unready. */
  isClosed?: (() => Promise<boolean>) | undefined
  /** Milliseconds since the epoch. */
  clock: () => number
}

/** Liveness, which touches nothing outside, and the probes that look at what the app depends on. */
export const probes = ({ phase, checks, faults, identify, isClosed, clock }: ProbesOptions) => {
  const timestamp = () => new Date(clock()).toISOString()
  const sees = (row: SurfaceRow, visit: Visit): boolean => {
    if (row.details === 'public') return true
    const credentials = credentialsOf(visit)
    return credentials !== undefined && identify(credentials) !== undefined
  }

  const liveness: Handler = () => json(200, { status: 'ok', timestamp: timestamp() })

  const database: Handler = async (visit, row) => {
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
    return unavailable({
      status: 'unavailable',
      database: 'disconnected',
      ...(result?.code && sees(row, visit) && { code: result.code }),
      timestamp: timestamp(),
    })
  }

  const readiness: Handler = async (visit, row) => {
    // In degraded mode nothing outside is touched: what is wrong is known already.
    const degraded = phase() === 'degraded'
    const asked = degraded ? checks.filter(({ name }) => name === 'config') : checks
    const results = await runChecks(asked, clock)
    if (!degraded && (await isClosed?.())) results.push(CLOSED)
    const down = (criticality: Check['criticality']) =>
      results.some((result) => !result.up && result.criticality === criticality)
    const ready = phase() !== 'draining' && !down('critical')
    const status = ready ? (down('degrading') ? 'degraded' : 'ok') : 'unavailable'
    const detailed = sees(row, visit)
    return (ready ? available : unavailable)({
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
  }

  return {
    liveness: { access: 'probe', methods: { GET: liveness } },
    database: { access: 'probe', methods: { GET: database } },
    readiness: { access: 'probe', methods: { GET: readiness } },
  } satisfies Record<string, Handlers>
}

/** Stands among the checks, so that a prober reads why it is sent away. */
const CLOSED: CheckResult = { name: 'maintenance', criticality: 'critical', up: false, latencyMs: 0 }

const available = (body: object): Response => json(200, body)
const unavailable = (body: object): Response => json(503, body, { 'Retry-After': '5' })
