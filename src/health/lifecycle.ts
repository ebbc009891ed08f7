/**
 * `starting` until the process is ready; `degraded` while a critical variable is missing or refused, which only another
 * start can mend; `draining` once it takes no new traffic.
 */
export type Phase = 'starting' | 'degraded' | 'ready' | 'draining'

/** What may follow what. Maintenance stands beside it: an operator's wish is no state of the process. */
const NEXT: Readonly<Record<Phase, readonly Phase[]>> = {
  starting: ['ready', 'degraded'],
  degraded: [],
  ready: ['draining'],
  draining: [],
}

/** One process from its start to its end. A house that is not open stays closed while it drains. */
export const createLifecycle = () => {
  let phase: Phase = 'starting'
  let isLeaving = false
  const go = (next: Phase) => {
    if (NEXT[phase].includes(next)) phase = next
  }
  return {
    phase: (): Phase => phase,
    /** The environment was read, with so many problems. */
    open(problems: number) {
      go(problems > 0 ? 'degraded' : 'ready')
      if (isLeaving) go('draining')
    },
    /** Readiness says no from now on. */
    drain() {
      isLeaving = true
      go('draining')
    },
  }
}
