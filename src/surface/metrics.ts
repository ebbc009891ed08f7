import type { Counters } from '../telemetry/counters.ts'
import type { Handlers } from './resource.ts'

/** The counters of this instance, as Prometheus reads them. */
export const metrics = (counters: Counters): Handlers => ({
  access: 'operator',
  methods: {
    GET(visit) {
      // Asked for every few seconds: not worth a line each.
      visit.quiet = true
      return new Response(counters.text(), {
        headers: { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8', 'Cache-Control': 'no-store' },
      })
    },
  },
})
