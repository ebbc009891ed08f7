import type { Outcome, Visit } from '../gates/gate.ts'
import type { SurfaceRow } from './surface-table.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

export type Handler = (visit: Visit, row: SurfaceRow) => Outcome | Promise<Outcome>

/** What stands behind a resource of the surface: who may ask, and what each method does. `HEAD` goes with `GET`. */
export interface Handlers {
  /**
   * `probe`: anyone, also while the house is degraded, and without a line in the request log.
   * `operator`: who has the operator token, once the house is open.
   */
  access: 'probe' | 'operator'
  methods: Partial<Record<Method, Handler>>
}

/** An answer of the surface: JSON that nobody may keep. */
export const json = (status: number, body: unknown, headers?: Record<string, string>): Response =>
  new Response(JSON.stringify(body), {
    status,
    headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers },
  })
