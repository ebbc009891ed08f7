import type { Config, Problem } from './config/config.ts'
import { createDatabase, type Database } from './data/database.ts'
import { type Check, DEFAULT_TIMEOUT_MS } from './health/check.ts'
import { absentCheck, configCheck, databaseCheck, redisCheck } from './health/checks.ts'
import { type Cache, createCache, noCache } from './store/cache.ts'
import { createRedis, type Redis } from './store/redis.ts'

/** What the app reaches outside of itself, wired once per process or isolate. */
export interface Services {
  database: Database | undefined
  redis: Redis | undefined
  cache: Cache
  checks: readonly Check[]
}

export interface ServicesOptions {
  config: Config
  problems: readonly Problem[]
  /** The app keeps data, so that it cannot be ready without a database. */
  data: boolean
}

/** Redis is on the way of every request: a slow one counts as away. */
const REDIS_TIMEOUT_MS = 150
const CACHE_SECONDS = 30

export const createServices = ({ config, problems, data }: ServicesOptions): Services => {
  const { DATABASE_URL: url, UPSTASH_REDIS_REST_URL, UPSTASH_REDIS_REST_TOKEN: token } = config
  const databaseOptions = url && { url, endpoint: config.NEON_FETCH_ENDPOINT }
  const redisOptions = UPSTASH_REDIS_REST_URL && token ? { url: UPSTASH_REDIS_REST_URL, token } : undefined
  // Checks have clients of their own, so that they give up sooner than a query does.
  const timeoutMs = DEFAULT_TIMEOUT_MS
  const redis = redisOptions && createRedis({ ...redisOptions, timeoutMs: REDIS_TIMEOUT_MS })
  return {
    database: databaseOptions
      ? createDatabase({ ...databaseOptions, timeoutMs: config.DB_QUERY_TIMEOUT_MS })
      : undefined,
    redis,
    cache: redis && config.ENABLE_CACHE ? createCache({ redis, ttl: CACHE_SECONDS }) : noCache,
    checks: [
      configCheck(problems),
      ...(databaseOptions ? [databaseCheck(createDatabase({ ...databaseOptions, timeoutMs }))] : []),
      ...(data && !databaseOptions ? [absentCheck('database', 'critical')] : []),
      redisOptions ? redisCheck(createRedis({ ...redisOptions, timeoutMs })) : absentCheck('redis', 'info'),
    ],
  }
}
