import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Hono } from 'hono'
import { serve } from '../adapters/node.ts'
import { listen } from '../bridge/listen.ts'
import { createUpstashHandler } from '../bridge/redis/upstash.ts'
import { createEmbeddedRedisEngine } from '../dev/embedded-redis-engine.ts'
import { createApp, type Policy } from '../src/parapet.ts'
import { SWITCHES_KEY } from '../src/switches/switches.ts'

// What a guarded request costs at Redis, in requests to its REST endpoint. The server is a process of its own on Node,
// as it would be deployed; the endpoint is here, speaks what Upstash speaks, and counts.

const LIMIT = 5
const PATH = '/guarded'
const TOKEN = 'counted'
/** Milliseconds for which an instance takes the switches for known. */
const KNOWN_MS = 5000

/** As many policies as are asked for: the default `api`, and others beside it. */
const policies = (count: number): Policy[] =>
  Array.from({ length: count - 1 }, (_, index) => ({
    name: `own${index}`,
    match: PATH,
    by: 'ip',
    limit: LIMIT + 1 + index,
    per: '1h',
  }))

interface Counted {
  /** What was sent to Redis, by the names of the commands of each request. */
  requests: string[][]
  run(...command: string[]): Promise<unknown>
  env: Record<string, string>
  close(): Promise<void>
}

const startCounted = async (): Promise<Counted> => {
  const engine = createEmbeddedRedisEngine()
  const upstash = createUpstashHandler({ engine, token: TOKEN })
  const requests: string[][] = []
  const { url, close } = await listen({
    routes: [
      [
        '/',
        async (request) => {
          const commands = (await request.clone().json()) as unknown[][]
          requests.push(commands.map(([name]) => String(name)))
          return upstash(request)
        },
      ],
    ],
  })
  return {
    requests,
    run: (...command) => engine.command(command),
    env: { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: TOKEN },
    async close() {
      await close()
      await engine.close()
    },
  }
}

interface Guarded {
  /** Asks as somebody, so many times, and returns the requests to Redis for each time. */
  ask(who: string, status: number, times?: number): Promise<number>
  stop(): Promise<void>
}

const startGuarded = async (count: number, redis: Counted): Promise<Guarded> => {
  const child: ChildProcess = spawn(process.execPath, [import.meta.filename, 'serve', String(count)], {
    env: {
      ...process.env,
      ...redis.env,
      NODE_ENV: 'production',
      LOG_FORMAT: 'json',
      PORT: '0',
      TRUST_PROXY: '1',
      RATE_LIMIT_MAX_REQUESTS: String(LIMIT),
      RATE_LIMIT_WINDOW_MS: '3600000',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const port = await new Promise<string>((resolve, reject) => {
    let written = ''
    child.stdout?.on('data', (text) => {
      written += text
      const [, found] = /"msg":"listening".*?"port":(\d+)/.exec(written) ?? []
      if (found) resolve(found)
    })
    child.once('exit', () => reject(new Error(`the server ended:\n${written}`)))
  })
  return {
    async ask(who, status, times = 1) {
      const before = redis.requests.length
      for (let i = 0; i < times; i++) {
        const headers = { 'x-forwarded-for': who }
        const answer = await fetch(`http://127.0.0.1:${port}${PATH}`, { headers })
        await answer.arrayBuffer()
        if (answer.status !== status) throw new Error(`${answer.status} where ${status} was to be`)
      }
      return (redis.requests.length - before) / times
    },
    async stop() {
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Requests to Redis for one guarded request, by what happens to it. */
export type Costs = Readonly<Record<string, number>>

/** Measures them with so many policies. Takes about twenty seconds, most of which it waits. */
export const measure = async (count: number): Promise<Costs> => {
  const redis = await startCounted()
  const guarded = await startGuarded(count, redis)
  const costs: Record<string, number> = {}
  try {
    costs['first of a process'] = await guarded.ask('10.0.0.1', 200)
    costs.allowed = await guarded.ask('10.0.0.1', 200, LIMIT - 1)
    costs['denied first'] = await guarded.ask('10.0.0.1', 429)
    costs['denied again'] = await guarded.ask('10.0.0.1', 429, 20)
    await redis.run('SCRIPT', 'FLUSH')
    costs['allowed, scripts flushed'] = await guarded.ask('10.0.0.2', 200)
    await pause(KNOWN_MS)
    costs['allowed, switches due'] = await guarded.ask('10.0.0.2', 200)
    await pause(KNOWN_MS)
    costs['denied again, switches due'] = await guarded.ask('10.0.0.1', 429)

    const from = new Date(Date.now() - 1000).toISOString()
    const window = { id: 'w', from, until: null, message: null, allow: ['10.0.0.9'], by: 'command' }
    await redis.run('SET', SWITCHES_KEY, JSON.stringify({ epoch: 'e', windows: [window], blocked: [] }))
    await pause(KNOWN_MS)
    costs['refused by maintenance, first'] = await guarded.ask('10.0.0.3', 503)
    costs['refused by maintenance'] = await guarded.ask('10.0.0.3', 503, 20)
    costs['let through maintenance'] = await guarded.ask('10.0.0.9', 200)
    await pause(KNOWN_MS)
    costs['refused by maintenance, switches due'] = await guarded.ask('10.0.0.3', 503)
    await pause(KNOWN_MS)
    costs['let through maintenance, switches due'] = await guarded.ask('10.0.0.9', 200)
    return costs
  } finally {
    await guarded.stop()
    await redis.close()
  }
}

if (process.argv[2] === 'serve') {
  const routes = new Hono().get(PATH, (c) => c.json({ ok: true }))
  await serve(createApp({ routes, open: ['/*'], limits: policies(Number(process.argv[3])) }))
} else if (import.meta.main) {
  const [one, two, three] = (await Promise.all([1, 2, 3].map(measure))) as [Costs, Costs, Costs]
  const rows = Object.keys(one).map((what) => [
    what,
    { '1 policy': one[what], '2 policies': two[what], '3 policies': three[what] },
  ])
  // biome-ignore lint/suspicious/noConsole: a program that prints a table
  console.table(Object.fromEntries(rows))
}
