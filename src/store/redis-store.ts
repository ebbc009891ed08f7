import { CheckFailure } from '../health/failure.ts'
import { CHARGE_SCRIPT, PLAIN_CHARGE_SCRIPT } from './charge-script.ts'
import type { SendPipeline } from './redis-pipeline.ts'
import type { Charge, Command, Reply, Rider, Standing, Store, StoreContext, Verdict } from './store.ts'

export interface RedisStoreOptions {
  send: SendPipeline
  /** Milliseconds that a request for a visit may take where nobody ends it. */
  timeoutMs: number
  /** Milliseconds that an operator may wait. */
  operatorTimeoutMs?: number
  /** Whose commands go along with every request. */
  riders?: readonly Rider[]
}

/** Puts a text in the place of another, unless somebody else was faster. An empty one stands for none. */
const SWAP_SCRIPT = `if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1`

/**
 * Keeps everything in Redis, which all instances share: one request for any number of limits.
 * The script itself is sent until an answer has shown that Redis knows it, so that a new isolate needs one request too.
 *
 * @throws {@link CheckFailure} from every method; {@link withBreaker} makes a store of it that never does
 */
export const createRedisStore = ({
  send,
  timeoutMs,
  operatorTimeoutMs = 2000,
  riders = [],
}: RedisStoreOptions): Store => {
  let script = CHARGE_SCRIPT
  let hash: string | undefined

  const charging = (charges: readonly Charge[]): Command => [
    ...(hash === undefined ? ['EVAL', script] : ['EVALSHA', hash]),
    charges.length,
    ...charges.map(({ key }) => key),
    ...charges.flatMap(({ algorithm, capacity, periodMs, cost, extra = 0 }) => [
      algorithm,
      capacity,
      periodMs,
      cost,
      extra,
    ]),
  ]

  /** What Redis answers where it does not know the script any more, or does not take its first line. */
  const heals = (reply: Reply): boolean => {
    if (!('error' in reply)) return false
    if (/^NOSCRIPT/.test(reply.error)) hash = undefined
    else if (script === CHARGE_SCRIPT && /shebang|flags?\b/i.test(reply.error)) script = PLAIN_CHARGE_SCRIPT
    else return false
    return true
  }

  const charge = async (charges: readonly Charge[], { signal }: StoreContext): Promise<Verdict> => {
    const limit = signal ?? timeoutMs

    const boarded = riders.map((rider) => rider.board()).filter((one) => one !== undefined)
    const own = charges.length > 0 ? [charging(charges)] : []
    const commands = [...own, ...boarded.flatMap((passenger) => passenger.commands)]
    if (commands.length === 0) return { allowed: true, standings: [] }
    const arrive = (replies?: readonly Reply[]) => {
      let at = own.length
      for (const one of boarded) {
        one.arrive(replies?.slice(at, at + one.commands.length))
        at += one.commands.length
      }
    }
    const replies = await send(commands, limit).catch((thrown: unknown) => {
      arrive()
      throw thrown
    })
    arrive(replies)
    if (own.length === 0) return { allowed: true, standings: [] }
    let reply = replies[0] as Reply
    if (heals(reply)) reply = (await send([charging(charges)], limit))[0] as Reply
    const standings = standingsOf(reply, charges)
    hash ??= await sha1(script)
    return { allowed: standings.every(({ allowed }) => allowed), standings }
  }

  const one = async (command: Command): Promise<unknown> => {
    const [reply] = await send([command], operatorTimeoutMs)
    if (!reply || 'error' in reply) throw new CheckFailure('bad_response')
    return reply.result
  }

  return {
    charge,
    async refund(charges, context) {
      await charge(
        charges.map((charged) => ({ ...charged, cost: -charged.cost, extra: 0 })),
        context,
      )
    },
    swap: async (key, previous, next) =>
      (await one(['EVAL', SWAP_SCRIPT, 1, key, previous ?? '', next])) === 1,
    async read(key) {
      const text = await one(['GET', key])
      if (text !== null && typeof text !== 'string') throw new CheckFailure('bad_response')
      return text
    },
  }
}

const standingsOf = (reply: Reply, charges: readonly Charge[]): Standing[] => {
  const numbers = 'result' in reply ? reply.result : undefined
  if (
    !Array.isArray(numbers) ||
    numbers.length !== charges.length * 4 ||
    !numbers.every((value) => Number.isSafeInteger(value))
  ) {
    throw new CheckFailure('bad_response')
  }
  return charges.map((_, index) => {
    const [remaining, resetMs, retryMs, taken] = numbers.slice(index * 4) as [number, number, number, number]
    return { allowed: retryMs === 0, remaining, resetMs, retryMs, taken }
  })
}

const sha1 = async (text: string): Promise<string> => {
  const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
