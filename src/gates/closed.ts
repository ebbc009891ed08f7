import type { Gate } from './gate.ts'

/** `starting` until the process is ready; `degraded` while a critical variable is missing or refused. */
export type Phase = 'starting' | 'degraded' | 'ready' | 'draining'

/** Keeps everything but the probes out while the house is not open, without touching Redis or Postgres. */
export const closed = (phase: () => Phase): Gate => {
  return function closed() {
    switch (phase()) {
      case 'starting':
        return { code: 'STARTING', headers: { 'Retry-After': '1' } }
      case 'degraded':
        return { code: 'DEGRADED', headers: { 'Retry-After': '30' } }
      default:
        return undefined
    }
  }
}
