import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTcpRedisEngine } from '../../bridge/redis/tcp-redis-engine.ts'
import { skipped } from '../bridge/skipped.ts'
import { type Answer, bearer, OPERATOR_TOKEN, type Server, startServer } from '../contract/harness.ts'
import { newcomer } from '../contract/limit-headers.ts'
import { endAll, type Runtime } from '../contract/runtimes.ts'
import { type Load, pause, startLoad } from './load.ts'
import { noRedisServer, type RedisServer, startRedisServer } from './redis-server.ts'

const FLEET: readonly Runtime[] = ['node', 'node', 'bun', 'bun']
const PATH = '/open/path/one/x'
/** Milliseconds in which every instance has seen a switch. */
const SEEN_MS = 5000
const MARGIN_MS = 1000
const ROOT = resolve(import.meta.dirname, '../..')

if (noRedisServer) skipped('maintenance of a fleet under load', noRedisServer)
else describe('maintenance of a fleet under load', () => maintenanceCases())

/** Each case goes on from where the one before it has left the house. */
const maintenanceCases = () => {
  let redis: RedisServer
  let fleet: Server[]
  let load: Load
  let reads: Reads
  let cookie: string | undefined
  const env = () => ({
    NODE_ENV: 'production',
    LOG_FORMAT: 'json',
    TRUST_PROXY: '1',
    INTERNAL_API_KEY: OPERATOR_TOKEN,
    REDIS_URL: redis.url,
  })
  beforeAll(async () => {
    redis = await startRedisServer()
    fleet = await Promise.all(FLEET.map((runtime) => startServer(runtime, { app: 'limited', env: env() })))
    load = startLoad(fleet, PATH)
    // A process that starts under load may take longer to hear of the switches than others wait for it.
    await pause(2000)
    reads = await watchReads(redis.url)
  })
  afterAll(async () => {
    await load?.stop()
    await reads?.close()
    await redis?.kill()
    await endAll()
  })

  const parapet = async (...args: string[]): Promise<void> => {
    const child = spawn(process.execPath, ['cli/main.ts', ...args], {
      cwd: ROOT,
      env: { PATH: process.env.PATH, NODE_ENV: 'production', REDIS_URL: redis.url },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const [said, complained, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit'),
    ])
    expect(code, `${said}\n${complained}`).toBe(0)
  }
  /** Flips the switch, and returns what was begun while it need not be seen yet, and after that. */
  const flip = async (...args: string[]) => {
    const from = performance.now()
    await parapet('maintenance', ...args)
    const returned = performance.now()
    await pause(SEEN_MS + MARGIN_MS)
    const seen = returned + SEEN_MS
    return {
      before: load.since(from).filter(({ begun }) => begun < seen),
      after: load.since(seen),
    }
  }
  const everywhere = (path: string, init?: RequestInit): Promise<Answer[]> =>
    Promise.all(fleet.map((server) => server.ask(path, init)))
  const statuses = (answers: readonly Answer[]) => answers.map(({ status }) => status)
  const ofFleet = (status: number) => FLEET.map(() => status)

  it('open: everybody is let in', () => {
    const samples = load.since(0)
    expect(samples.length).toBeGreaterThan(100)
    expect(samples.filter(({ answer }) => answer.status !== 200)).toEqual([])
  })

  it('on: every process refuses within five seconds, and lets nobody in after that', async () => {
    const { before, after } = await flip('on', '--message', 'Back soon.', '--allow', '203.0.113.0/24')
    for (const server of fleet) {
      const own = (samples: typeof after) => samples.filter((sample) => sample.server === server)
      expect(own(before).some(({ answer }) => answer.status === 200)).toBe(true)
      expect(own(after).length).toBeGreaterThan(10)
    }
    expect(new Set([...before, ...after].map(({ answer }) => answer.status))).toEqual(new Set([200, 503]))
    expect(after.filter(({ answer }) => answer.status !== 503)).toEqual([])
    const bodies = new Set(after.map(({ answer }) => JSON.parse(answer.body).code))
    expect(bodies).toEqual(new Set(['MAINTENANCE']))
    // Once a process has closed it does not open in between, but for what was on its way.
    for (const server of fleet) {
      const own = before.filter((sample) => sample.server === server)
      const closed = own.find(({ answer }) => answer.status === 503)?.begun ?? Number.POSITIVE_INFINITY
      expect(own.filter(({ begun, answer }) => begun > closed + 200 && answer.status === 200)).toEqual([])
    }
  })

  it('allowed addresses pass, and who has a bypass cookie of any process', async () => {
    const allowed = { 'x-forwarded-for': '203.0.113.9' }
    expect(statuses(await everywhere(PATH, { headers: allowed }))).toEqual(ofFleet(200))
    const [first] = fleet as [Server]
    const issued = await first.ask('/api/admin/maintenance/bypass', { method: 'POST', headers: bearer() })
    expect(issued.status).toBe(200)
    cookie = issued.header('set-cookie')?.split(';', 1)[0] ?? ''
    const headers = { ...newcomer(), cookie }
    expect(statuses(await everywhere(PATH, { headers }))).toEqual(ofFleet(200))
    expect(statuses(await everywhere(PATH, { headers: newcomer() }))).toEqual(ofFleet(503))
    expect(statuses(await everywhere('/readyz'))).toEqual(ofFleet(200))
  })

  it('off: everybody is let in again within five seconds', async () => {
    const { after } = await flip('off')
    expect(after.length).toBeGreaterThan(100)
    expect(after.filter(({ answer }) => answer.status !== 200)).toEqual([])
  })

  it('on again: the cookie of the last time is worth nothing', async () => {
    const { after } = await flip('on')
    expect(after.filter(({ answer }) => answer.status !== 503)).toEqual([])
    const headers = { ...newcomer(), cookie: cookie as string }
    expect(statuses(await everywhere(PATH, { headers }))).toEqual(ofFleet(503))
  })

  it('no process has read the switches more than once in five seconds', () => {
    expect(reads.byConnection().length).toBeGreaterThanOrEqual(FLEET.length)
    const often = reads.byConnection().filter((times) => times.length > 3)
    expect(often).toHaveLength(FLEET.length)
    for (const times of often) {
      const gaps = times.slice(1).map((time, index) => time - (times[index] as number))
      // From when a request came in to when Redis got its command takes a moment, and not always as long.
      expect(Math.min(...gaps)).toBeGreaterThan(SEEN_MS - 200)
    }
  })

  it('stays closed while Redis is away, and a process that starts then is open', async () => {
    const from = performance.now()
    await redis.kill()
    await pause(2 * SEEN_MS)
    const samples = load.since(from)
    expect(samples.filter(({ answer }) => answer.status !== 503)).toEqual([])
    expect(new Set(samples.map(({ answer }) => JSON.parse(answer.body).code))).toEqual(
      new Set(['MAINTENANCE']),
    )
    const [first, ...others] = fleet as [Server, ...Server[]]
    const restarted = await startServer(first.runtime, { app: 'limited', env: env() })
    expect((await restarted.ask(PATH, { headers: newcomer() })).status).toBe(200)
    expect(await restarted.stop()).toBe(0)
    for (const server of others) {
      expect((await server.ask(PATH, { headers: newcomer() })).status).toBe(503)
    }
  })

  it('ends every process properly', async () => {
    await load.stop()
    for (const server of fleet) expect(await server.stop()).toBe(0)
  })
}

interface Reads {
  /** When the document of the switches was read, in milliseconds, for each connection that has read it. */
  byConnection(): number[][]
  close(): Promise<void>
}

/** Watches what Redis is asked, as Redis itself tells it. */
const watchReads = async (url: string): Promise<Reads> => {
  const engine = createTcpRedisEngine({ url })
  const reads = new Map<string, number[]>()
  const end = await engine.stream(
    { command: 'monitor' },
    {
      onPush([line]) {
        const [, seconds, connection] =
          /^(\d+\.\d+) \[\d+ (\S+)\] "GET" "parapet:switches"$/i.exec(String(line)) ?? []
        if (connection === undefined) return
        reads.set(connection, [...(reads.get(connection) ?? []), Number(seconds) * 1000])
      },
      onEnd() {},
    },
  )
  return {
    byConnection: () => [...reads.values()],
    async close() {
      end()
      await engine.close()
    },
  }
}
