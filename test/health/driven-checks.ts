import { createDatabase } from '../../src/data/database.ts'
import type { Check } from '../../src/health/check.ts'
import { authCheck } from '../../src/health/checks/auth.ts'
import { databaseCheck } from '../../src/health/checks/database.ts'
import { migrationsCheck } from '../../src/health/checks/migrations.ts'
import { originCheck } from '../../src/health/checks/origin.ts'
import { queuesCheck } from '../../src/health/checks/queues.ts'
import { redisCheck } from '../../src/health/checks/redis.ts'
import { CheckFailure } from '../../src/health/failure.ts'
import { createPipeline } from '../../src/store/redis-pipeline.ts'
import { CANARY } from '../contract/canary.ts'

/** Milliseconds that every check has here. */
export const TIMEOUT_MS = 800

const database = (url: string) =>
  createDatabase({
    url: `postgres://app:${CANARY}@db.example/app`,
    endpoint: `${url}/sql`,
    timeoutMs: TIMEOUT_MS,
  })
const redis = (url: string) => ({ url, token: CANARY })
const THERE = { away: () => undefined, look: async () => {} }

/** Every check that asks somebody, as it is against a server that speaks all of their languages by path. */
export const DRIVEN = {
  database: (url) => databaseCheck(database(`${url}/database`)),
  migrations: (url) => migrationsCheck(database(`${url}/migrations`)),
  redis: (url) =>
    redisCheck({ send: createPipeline(redis(`${url}/redis`)), store: THERE, timeoutMs: TIMEOUT_MS }),
  queues: (url) =>
    queuesCheck({ send: createPipeline(redis(`${url}/queues`)), names: ['mail'], timeoutMs: TIMEOUT_MS }),
  auth: (url) => authCheck({ issuer: `${url}/auth`, timeoutMs: TIMEOUT_MS }),
  /** Its discovery document is well, and only what that leads to is not. */
  'auth keys': (url) => authCheck({ issuer: `${url}/keys/well`, timeoutMs: TIMEOUT_MS }),
  origin: (url) => originCheck({ url: `${url}/origin`, timeoutMs: TIMEOUT_MS }),
} satisfies Record<string, (url: string) => Check>

export type Driven = keyof typeof DRIVEN

/** How a check ended, and all that it gave away. */
export interface Ended {
  /** A closed code, or `passed`. */
  outcome: string
  /** Milliseconds. */
  took: number
  revealed: string
}

/** Runs one check against a server. */
export const drive = async (name: Driven, url: string): Promise<Ended> => {
  const began = Date.now()
  const ended = (outcome: string, what: unknown) => ({
    outcome,
    took: Date.now() - began,
    revealed: reveal(what),
  })
  try {
    const said = await DRIVEN[name](url).run()
    return ended(said === undefined ? 'passed' : String(said), said)
  } catch (thrown) {
    return ended(thrown instanceof CheckFailure ? thrown.failure : 'no CheckFailure', thrown)
  }
}

/** The same over HTTP, for runtimes that have no test runner: `/<check>?<url>`. */
export const answerDrive = async (request: Request): Promise<Response> => {
  const { pathname, search } = new URL(request.url)
  const name = decodeURIComponent(pathname.slice(1)) as Driven
  return Response.json(await drive(name, decodeURIComponent(search.slice(1))))
}

/** Everything that can be read from a value, by whichever way. */
const reveal = (value: unknown, depth = 0): string => {
  if (typeof value !== 'object' || value === null || depth > 6) return String(value)
  const members = [...Reflect.ownKeys(value), 'message', 'stack', 'cause', 'name'].map(
    (key) => `${String(key)}: ${reveal(Reflect.get(value, key), depth + 1)}`,
  )
  return `${value} { ${members.join(', ')} }`
}
