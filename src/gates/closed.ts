import type { Phase } from '../health/lifecycle.ts'
import type { Gate } from './gate.ts'

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
