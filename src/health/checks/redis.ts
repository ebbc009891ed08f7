import type { Breaker } from '../../store/breaker.ts'
import type { SendPipeline } from '../../store/redis-pipeline.ts'
import { type Check, DEFAULT_TIMEOUT_MS } from '../check.ts'
import { CheckFailure } from '../failure.ts'

export interface RedisCheckOptions {
  send: SendPipeline
  /** What limits and switches are kept in. */
  store: Pick<Breaker, 'away' | 'look'>
  /** Milliseconds. */
  timeoutMs?: number
}

/**
 * `PING` must be answered `PONG`, and what limits ask for must be answered too where the store has given Redis up.
 * Without it limits are per instance, so its loss degrades.
 */
export const redisCheck = ({ send, store, timeoutMs = DEFAULT_TIMEOUT_MS }: RedisCheckOptions): Check => ({
  name: 'redis',
  criticality: 'degrading',
  timeoutMs,
  costs: true,
  freshMs: 60_000,
  async run() {
    const [reply] = await send([['PING']], timeoutMs)
    if (!reply || !('result' in reply) || reply.result !== 'PONG') throw new CheckFailure('bad_response')
    if (store.away()) await store.look(Date.now())
    const reason = store.away()
    if (reason) throw new CheckFailure(reason)
  },
})
