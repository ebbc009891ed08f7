import { CheckFailure } from '../health/failure.ts'
import type { SendPipeline } from './redis-pipeline.ts'
import type { Command } from './store.ts'

/** Jobs of one BullMQ queue. */
export interface QueueDepths {
  name: string
  /** Ready to run, with a priority or while the queue is paused too. */
  waiting: number
  active: number
  delayed: number
  failed: number
}

/** Under which of BullMQ's own keys they are. */
const STATES: readonly (readonly [
  keyof Omit<QueueDepths, 'name'>,
  command: 'LLEN' | 'ZCARD',
  key: string,
])[] = [
  ['waiting', 'LLEN', 'wait'],
  ['waiting', 'LLEN', 'paused'],
  ['waiting', 'ZCARD', 'prioritized'],
  ['active', 'LLEN', 'active'],
  ['delayed', 'ZCARD', 'delayed'],
  ['failed', 'ZCARD', 'failed'],
]

/**
 * How many jobs queues hold, by one request of six commands each. A queue that nobody has ever used holds none.
 *
 * @throws {@link CheckFailure} whatever goes wrong
 */
export const queueDepths = async (
  send: SendPipeline,
  names: readonly string[],
  timeoutMs: number,
): Promise<QueueDepths[]> => {
  const commands = names.flatMap((name) =>
    STATES.map(([, command, key]): Command => [command, `bull:${name}:${key}`]),
  )
  const replies = await send(commands, timeoutMs)
  return names.map((name, queue) => {
    const depths: QueueDepths = { name, waiting: 0, active: 0, delayed: 0, failed: 0 }
    for (const [index, [state]] of STATES.entries()) {
      const reply = replies[queue * STATES.length + index]
      const jobs = reply && 'result' in reply ? reply.result : undefined
      if (!Number.isSafeInteger(jobs)) throw new CheckFailure('bad_response')
      depths[state] += jobs as number
    }
    return depths
  })
}
