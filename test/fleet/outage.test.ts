import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { skipped } from '../bridge/skipped.ts'
import { lines, OPERATOR_TOKEN, type Server, startServer } from '../contract/harness.ts'
import { endAll, type Runtime } from '../contract/runtimes.ts'
import { type Load, pause, type Sample, startLoad } from './load.ts'
import { noRedisServer, type RedisServer, startRedisServer } from './redis-server.ts'

const FLEET: readonly Runtime[] = ['node', 'bun']
const PATH = '/open/path/itself/x'

/** Milliseconds by which an answer may be later than with a Redis that is well, and what a busy machine may add. */
const LATER_MS = 200
const SLACK_MS = 100
/** Until the limits are those of the fleet again. */
const BACK_MS = 3000

/** What happens to the Redis, and for how long: as short as a hiccup, and as long as it takes to give a connection up. */
const OUTAGES: [what: 'killed' | 'frozen', milliseconds: number][] = [
  ['killed', 500],
  ['killed', 3700],
  ['frozen', 1000],
  ['frozen', 3000],
  ['frozen', 7000],
]

if (noRedisServer) skipped('a Redis that goes away under load', noRedisServer)
else describe('a Redis that goes away under load', () => outageCases())

const outageCases = () => {
  let redis: RedisServer
  let fleet: Server[]
  let load: Load
  beforeAll(async () => {
    redis = await startRedisServer()
    const env = {
      NODE_ENV: 'production',
      LOG_FORMAT: 'json',
      TRUST_PROXY: '1',
      INTERNAL_API_KEY: OPERATOR_TOKEN,
      REDIS_URL: redis.url,
    }
    fleet = await Promise.all(FLEET.map((runtime) => startServer(runtime, { app: 'limited', env })))
    load = startLoad(fleet, PATH)
    await pause(2000)
  })
  afterAll(async () => {
    await load?.stop()
    await redis?.kill()
    await endAll()
  })

  it.each(OUTAGES)('%s for %i ms', async (what, milliseconds) => {
    const calm = performance.now()
    await pause(1000)
    const heard = fleet.map(({ process }) => process.output().length)
    const well = median(load.since(calm).map(({ took }) => took))
    expect(load.since(calm).every(isCounted)).toBe(true)

    const gone = performance.now()
    if (what === 'killed') await redis.kill()
    else redis.signal('SIGSTOP')
    await pause(milliseconds)
    if (what === 'killed') await redis.start()
    else redis.signal('SIGCONT')
    const back = performance.now()
    await pause(BACK_MS + 1000)

    for (const [index, server] of fleet.entries()) {
      const own = load.since(gone).filter((sample) => sample.server === server)
      expect(own.length).toBeGreaterThan((milliseconds + BACK_MS) / 40)
      expect(own.filter(({ answer }) => answer.status !== 200)).toEqual([])
      expect(Math.max(...own.map(({ took }) => took)) - well).toBeLessThan(LATER_MS + SLACK_MS)
      expect(own.some((sample) => !isCounted(sample))).toBe(true)
      const uncounted = own.findLast((sample) => !isCounted(sample)) as Sample
      expect(uncounted.begun - back).toBeLessThan(BACK_MS)
      const told = lines(server.process.output().slice(heard[index])).filter(({ msg }) =>
        /^Redis is/.test(String(msg)),
      )
      expect(told.map(({ msg }) => msg)).toEqual(['Redis is away: limits fall back', 'Redis is back'])
    }
  })

  it('ends every server properly', async () => {
    await load.stop()
    for (const server of fleet) expect(await server.stop()).toBe(0)
  })
}

/** Whether the whole fleet's Redis counted it. */
const isCounted = ({ answer }: Sample): boolean => answer.header('ratelimit') !== undefined

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] as number
