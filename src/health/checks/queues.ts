import { queueDepths } from '../../store/queue-depths.ts'
import type { SendPipeline } from '../../store/redis-pipeline.ts'
import { type Check, DEFAULT_TIMEOUT_MS } from '../check.ts'

export interface QueuesCheckOptions {
  send: SendPipeline
  /** Of BullMQ queues. */
  names: readonly string[]
  /** Milliseconds. */
  timeoutMs?: number
}

/** Jobs that wait in one queue, beyond which it is a warning. */
const MANY = 1000

/** It must be possible to look into the queues, and no queue should have many jobs waiting. */
export const queuesCheck = ({ send, names, timeoutMs = DEFAULT_TIMEOUT_MS }: QueuesCheckOptions): Check => ({
  name: 'queues',
  criticality: 'degrading',
  timeoutMs,
  freshMs: 60_000,
  async run() {
    const depths = await queueDepths(send, names, timeoutMs)
    return depths.some(({ waiting }) => waiting > MANY) ? 'warn' : undefined
  },
})
