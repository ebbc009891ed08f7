import { credentialsOf } from '../gates/authenticate.ts'
import type { Visit } from '../gates/gate.ts'
import type { Phase } from '../health/lifecycle.ts'
import type { Monitor, Reading } from '../health/monitor.ts'
import { isReady, type Verdict, verdictOf } from '../health/verdict.ts'
import type { Principal } from '../identity/principal.ts'
import {
  asHealthJson,
  asJson,
  asText,
  detailsOf,
  type HealthReport,
  inWords,
  wordOf,
} from './health-report.ts'
import { type Handler, type Handlers, json } from './resource.ts'
import type { SurfaceRow } from './surface-table.ts'

export interface ProbesOptions {
  phase: () => Phase
  monitor: Monitor
  /** Names of variables at fault, for operators. */
  faults: readonly string[]
  /** Recognises operators. */
  identify: (credentials: string) => Principal | undefined
  /** Whether the house is closed for maintenance, where that makes it unready. */
  isClosed?: ((visit: Visit) => boolean) | undefined
  /** Milliseconds since the epoch. */
  clock: () => number
}

/** Liveness, which touches nothing outside, and the probes that look at what the app depends on. */
export const probes = ({ phase, monitor, faults, identify, isClosed, clock }: ProbesOptions) => {
  const now = () => new Date(clock()).toISOString()
  const timestampOf = (row: SurfaceRow) => (row.timestamp === false ? undefined : now())
  const isOperator = (visit: Visit): boolean => {
    const credentials = credentialsOf(visit)
    return credentials !== undefined && identify(credentials) !== undefined
  }
  const sees = (row: SurfaceRow, visit: Visit): boolean => row.details === 'public' || isOperator(visit)
  /** In degraded mode nothing outside is touched: what is wrong is known already. */
  const look = (visit: Visit, names?: readonly string[]): Promise<Reading[]> =>
    monitor.look(visit, phase() === 'degraded' ? ['config'] : names)

  let hasBeenReady = false
  const judge = async (visit: Visit): Promise<{ readings: Reading[]; verdict: Verdict }> => {
    const readings = await look(visit)
    if (phase() !== 'degraded' && isClosed?.(visit)) readings.push(CLOSED)
    const verdict = phase() === 'draining' ? 'unavailable' : verdictOf(readings)
    hasBeenReady ||= isReady(verdict)
    return { readings, verdict }
  }

  const liveness: Handler = (_visit, row) => {
    const timestamp = timestampOf(row)
    return json(200, { status: inWords('ok', row.words), ...(timestamp && { timestamp }) })
  }

  const database: Handler = async (visit, row) => {
    const timestamp = timestampOf(row)
    const [reading] = await look(visit, ['database'])
    // In degraded mode there may be one that is not configured: it cannot be used, whatever the reason.
    if (!reading && phase() !== 'degraded') return { code: 'NOT_FOUND' }
    const known = reading?.name === 'database' ? reading : undefined
    const isUp = known?.status === 'ok' || known?.status === 'warn'
    const isUnknown = known?.status === 'unknown' && known.code === undefined
    const details = known && sees(row, visit) ? known : undefined
    const body = {
      status: inWords(isUp ? 'ok' : isUnknown ? 'unknown' : 'unavailable', row.words),
      database: isUp ? 'connected' : isUnknown ? 'unknown' : 'disconnected',
      ...(details?.latencyMs !== undefined && isUp && { latencyMs: details.latencyMs }),
      ...(details?.code && !isUp && { code: details.code }),
      ...(known?.stale && { stale: true }),
      ...(known?.warming && { warming: true }),
      ...(timestamp && { timestamp }),
    }
    return isUp ? json(200, body) : unavailable(body)
  }

  const readiness: Handler = async (visit, row) => {
    const { readings, verdict } = await judge(visit)
    const ready = isReady(verdict)
    const detailed = sees(row, visit)
    const report: HealthReport = { verdict, readings, detailed, timestamp: timestampOf(row) }
    const headers = { Vary: 'Accept', ...(verdict === 'degraded' && { 'X-Envoy-Degraded': 'true' }) }
    const status = ready ? 200 : 503
    switch (preferred(visit.header('accept'))) {
      case 'health':
        return written(status, JSON.stringify(asHealthJson(report)), 'application/health+json', headers)
      case 'text': {
        const verbose = /[?&]verbose(?:[=&]|$)/.test(visit.request.url) && isOperator(visit)
        return written(status, asText(report, row.words, verbose), 'text/plain; charset=utf-8', headers)
      }
      default: {
        const more = detailed && faults.length > 0 ? { faults } : {}
        const body = JSON.stringify(asJson(report, ready, row.words, more))
        return written(status, body, 'application/json', headers)
      }
    }
  }

  /** Once it was ready it has started, whatever comes after. */
  const startup: Handler = async (visit, row) => {
    const started = hasBeenReady || isReady((await judge(visit)).verdict)
    const timestamp = timestampOf(row)
    const status = inWords(started ? 'ok' : 'unavailable', row.words)
    const body = { started, status, ...(timestamp && { timestamp }) }
    return started ? json(200, body) : unavailable(body)
  }

  /** Everything that is known of every check, and what changed last. */
  const health: Handler = async (visit) => {
    visit.quiet = true
    const { readings, verdict } = await judge(visit)
    return json(200, {
      status: verdict,
      phase: phase(),
      checks: readings.map((reading) => ({
        name: reading.name,
        status: wordOf(reading),
        criticality: reading.criticality,
        stale: reading.stale,
        ...detailsOf(reading),
      })),
      history: monitor.history().map(({ at, ...transition }) => ({
        ...transition,
        at: new Date(at).toISOString(),
      })),
      ...(faults.length > 0 && { faults }),
      timestamp: now(),
    })
  }

  return {
    liveness: { access: 'probe', methods: { GET: liveness } },
    database: { access: 'probe', methods: { GET: database } },
    readiness: { access: 'probe', methods: { GET: readiness } },
    startup: { access: 'probe', methods: { GET: startup } },
    health: { access: 'operator', methods: { GET: health } },
  } satisfies Record<string, Handlers>
}

/** Stands among the checks, so that a prober reads why it is sent away. */
const CLOSED: Reading = {
  name: 'maintenance',
  criticality: 'critical',
  status: 'down',
  stale: false,
  warming: false,
  code: undefined,
  latencyMs: undefined,
  seenAt: undefined,
  since: undefined,
}

const RETRY_AFTER = { 'Retry-After': '5' }
const unavailable = (body: object): Response => json(503, body, RETRY_AFTER)

const written = (status: number, body: string, type: string, headers: Record<string, string>): Response =>
  new Response(body, {
    status,
    headers: {
      'Content-Type': type,
      'Cache-Control': 'no-store',
      ...headers,
      ...(status === 503 && RETRY_AFTER),
    },
  })

/** Which of three forms is asked for by name. Browsers and probers, which take anything, get JSON. */
const preferred = (accept = ''): 'json' | 'health' | 'text' => {
  const first = accept
    .toLowerCase()
    .split(',')
    .map((range) => range.split(';', 1)[0]?.trim())
    .find((range) => range !== undefined && Object.hasOwn(FORMS, range))
  return FORMS[first as keyof typeof FORMS] ?? 'json'
}

const FORMS = {
  'application/json': 'json',
  'application/health+json': 'health',
  'text/plain': 'text',
  'text/html': 'json',
} as const
