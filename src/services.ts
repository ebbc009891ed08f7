import type { Config, Problem } from './config/config.ts'
import { createDatabase, type Database } from './data/database.ts'
import { type Check, DEFAULT_TIMEOUT_MS } from './health/check.ts'
import { absentCheck } from './health/checks/absent.ts'
import { authCheck } from './health/checks/auth.ts'
import { channelsCheck } from './health/checks/channels.ts'
import { configCheck } from './health/checks/config.ts'
import { databaseCheck } from './health/checks/database.ts'
import { migrationsCheck } from './health/checks/migrations.ts'
import { originCheck } from './health/checks/origin.ts'
import { queuesCheck } from './health/checks/queues.ts'
import { redisCheck } from './health/checks/redis.ts'
import type { FailureCode } from './health/failure.ts'
import type { Witness } from './health/monitor.ts'
import { type Breaker, withBreaker } from './store/breaker.ts'
import { type Cache, createCache, noCache } from './store/cache.ts'
import { createMemoryStore } from './store/memory-store.ts'
import { createRedis, type Redis } from './store/redis.ts'
import { createPipeline } from './store/redis-pipeline.ts'
import { createRedisStore } from './store/redis-store.ts'
import type { Rider, Store } from './store/store.ts'

/** What the app reaches outside of itself, wired once per process or isolate. */
export interface Services {
  database: Database | undefined
  redis: Redis | undefined
  cache: Cache
  /** Limits and switches: those of the fleet with a Redis, else those of this instance. */
  store: Store
  /** Commands to send along with every request that the store sends. Without a Redis there is none. */
  riders: Rider[]
  checks: readonly Check[]
}

export interface ServicesOptions {
  config: Config
  problems: readonly Problem[]
  /** The app keeps data, so that it cannot be ready without a database. */
  data: boolean
  /** Told when the store goes away, with the reason, and when it is back. */
  onStoreChange?: (away: FailureCode | undefined) => void
  /** Told what real traffic has seen of a dependency. */
  witness?: Witness
}

/** Redis is on the way of every request: a slow one counts as away. */
const REDIS_TIMEOUT_MS = 150
const CACHE_SECONDS = 30

export const createServices = ({
  config,
  problems,
  data,
  onStoreChange,
  witness,
}: ServicesOptions): Services => {
  const { DATABASE_URL: url, UPSTASH_REDIS_REST_URL, UPSTASH_REDIS_REST_TOKEN: token } = config
  const databaseOptions = url && { url, endpoint: config.NEON_FETCH_ENDPOINT }
  const redisOptions = UPSTASH_REDIS_REST_URL && token ? { url: UPSTASH_REDIS_REST_URL, token } : undefined
  // Checks have clients of their own, so that they give up sooner than a query does.
  const timeoutMs = DEFAULT_TIMEOUT_MS
  const redis = redisOptions && createRedis({ ...redisOptions, timeoutMs: REDIS_TIMEOUT_MS })
  const riders: Rider[] = []
  const send = redisOptions && createPipeline(redisOptions)
  const shared: Breaker | undefined =
    send &&
    withBreaker({
      store: createRedisStore({ send, timeoutMs: REDIS_TIMEOUT_MS, riders }),
      deadlineMs: REDIS_TIMEOUT_MS,
      onAnswer: () => witness?.('redis', undefined),
      onChange(away) {
        witness?.('redis', away, { certain: true })
        onStoreChange?.(away)
      },
    })
  return {
    database: databaseOptions
      ? createDatabase({
          ...databaseOptions,
          timeoutMs: config.DB_QUERY_TIMEOUT_MS,
          onOutcome: (failure, latencyMs) => witness?.('database', failure, { latencyMs }),
        })
      : undefined,
    redis,
    cache: redis && config.ENABLE_CACHE ? createCache({ redis, ttl: CACHE_SECONDS }) : noCache,
    store: shared ?? createMemoryStore(),
    riders,
    checks: [
      configCheck(problems),
      ...(databaseOptions ? [databaseCheck(createDatabase({ ...databaseOptions, timeoutMs }))] : []),
      ...(data && !databaseOptions ? [absentCheck('database', 'critical')] : []),
      ...(data && databaseOptions
        ? [migrationsCheck(createDatabase({ ...databaseOptions, timeoutMs }))]
        : []),
      send && shared ? redisCheck({ send, store: shared }) : absentCheck('redis', 'info'),
      ...(send && config.QUEUES?.length ? [queuesCheck({ send, names: config.QUEUES })] : []),
      ...(config.ISSUER_URL ? [authCheck({ issuer: config.ISSUER_URL })] : []),
      ...(config.ORIGIN_URL ? [originCheck({ url: config.ORIGIN_URL })] : []),
      channelsCheck(config),
    ],
  }
}
