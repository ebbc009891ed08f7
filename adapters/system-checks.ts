import { statfs } from 'node:fs/promises'
import { totalmem } from 'node:os'
import type { Check } from '../src/health/check.ts'
import { CheckFailure } from '../src/health/failure.ts'

export interface SystemChecksOptions {
  /** How late the event loop was just now, in milliseconds. Not called before the check runs. */
  eventLoopDelayMs: () => number
  /** Bytes that this process may still write where it runs, and bytes that there are. */
  disk?: () => Promise<{ free: number; total: number }>
  /** Bytes that this process holds, and bytes that it may. */
  memory?: () => { used: number; limit: number }
}

/** Milliseconds of delay that callers notice. */
const LATE_MS = 200

/**
 * What a process on Bun or Node may run out of. None of them is critical: the next instance would run out sooner if it
 * were given this one's traffic.
 */
export const systemChecks = ({
  eventLoopDelayMs,
  disk = createDiskReader(),
  memory = readMemory,
}: SystemChecksOptions): Check[] => [
  {
    name: 'disk',
    criticality: 'degrading',
    async run() {
      const { free, total } = await disk().catch(() => {
        throw new CheckFailure('bad_response')
      })
      // What has no size, such as /proc, cannot be full.
      return total > 0 ? judge(1 - free / total, { warn: 0.95, fail: 0.99 }) : undefined
    },
  },
  {
    name: 'memory',
    criticality: 'degrading',
    async run() {
      const { used, limit } = memory()
      return judge(used / limit, { warn: 0.85, fail: 0.97 })
    },
  },
  {
    name: 'event-loop',
    criticality: 'degrading',
    run: async () => (eventLoopDelayMs() > LATE_MS ? 'warn' : undefined),
  },
]

const judge = (share: number, above: { warn: number; fail: number }): 'warn' | undefined => {
  if (share > above.fail) throw new CheckFailure('exhausted')
  return share > above.warn ? 'warn' : undefined
}

/** A file system that hangs, as over a network, gets one look at a time: each holds a thread that others need. */
const createDiskReader = () => {
  let looking: Promise<{ free: number; total: number }> | undefined
  return () => {
    looking ??= statfs('.')
      .then(({ bavail, blocks }) => ({ free: bavail, total: blocks }))
      .finally(() => {
        looking = undefined
      })
    return looking
  }
}

const readMemory = () => ({
  used: process.memoryUsage.rss(),
  // Without a limit Node says 0 or more than there is, and Bun what there is.
  limit: Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY),
})
