import { authenticate } from '../gates/authenticate.ts'
import { askGates, type Gate, type Visit } from '../gates/gate.ts'
import type { Phase } from '../health/lifecycle.ts'
import type { Principal } from '../identity/principal.ts'
import type { Handlers, Method } from './resource.ts'
import type { Resource, SurfaceRow } from './surface-table.ts'

export interface SurfaceOptions {
  table: readonly SurfaceRow[]
  /** What stands behind each resource. */
  resources: Readonly<Record<Resource, Handlers>>
  phase: () => Phase
  /** Recognises operators. */
  identify: (credentials: string) => Principal | undefined
}

/**
 * Answers the operational routes: probes whatever the state of the house, the operator's once it is open, and also
 * while it is closed for maintenance. No limit holds here.
 */
export const surface = ({ table, resources, phase, identify }: SurfaceOptions): Gate => {
  const rows = new Map(table.map((row) => [row.path, row]))
  const admit = authenticate({ identify, isOpen: () => false, unless: KNOWN })

  return function surface(visit) {
    const row =
      rows.get(visit.path) ?? (visit.path.endsWith('/') ? rows.get(visit.path.slice(0, -1)) : undefined)
    if (!row) return undefined
    const { access, methods } = resources[row.resource]
    const isProbe = access === 'probe'
    visit.quiet = isProbe
    // What is not ready is told so by the gate that comes next.
    const isOpen = phase() === 'ready' || phase() === 'draining'
    if (!isOpen && !isProbe) return undefined

    const handler = methods[(visit.method === 'HEAD' ? 'GET' : visit.method) as Method]
    if (!handler) return { code: 'METHOD_NOT_ALLOWED', headers: { Allow: allowed(methods) } }
    if (phase() === 'starting' && row.resource !== 'liveness') return undefined
    const answer = (asking: Visit) => handler(asking, row)
    return isProbe ? answer(visit) : askGates([admit, answer], visit)
  }
}

/** Every row has something behind it. */
const KNOWN = { has: () => true, unknown: () => ({ code: 'NOT_FOUND' }) as const }

const allowed = (methods: Handlers['methods']): string =>
  Object.keys(methods)
    .flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
    .join(', ')
