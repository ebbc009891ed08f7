import type { Config } from '../src/config/config.ts'

export interface BridgedEnvironment {
  env: Record<string, string | undefined>
  close(): Promise<void>
}

/** Hosts that speak Neon's protocol themselves. */
const NEON_HOST = /\.neon\.(?:tech|build)$/

/**
 * Makes a plain PostgreSQL and a TCP Redis reachable by the clients that run everywhere: a bridge in this process,
 * on loopback. In development without a database, an app that keeps data gets the local services.
 */
export const bridgedEnvironment = async (
  env: Record<string, string | undefined>,
  config: Config,
  keepsData: boolean,
): Promise<BridgedEnvironment> => {
  const { DATABASE_URL, REDIS_URL, NEON_FETCH_ENDPOINT, UPSTASH_REDIS_REST_URL } = config
  if (config.environment === 'development' && keepsData && !DATABASE_URL) {
    const { startLocalServices } = await import('../dev/local-services.ts')
    const services = await startLocalServices()
    return { env: { ENABLE_CACHE: 'true', ...env, ...services.env }, close: services.close }
  }
  const databaseUrl =
    DATABASE_URL && !NEON_FETCH_ENDPOINT && !NEON_HOST.test(new URL(DATABASE_URL).hostname)
      ? DATABASE_URL
      : undefined
  const redisUrl = UPSTASH_REDIS_REST_URL ? undefined : REDIS_URL
  if (!databaseUrl && !redisUrl) return { env, close: async () => {} }
  const { randomToken, startBridge } = await import('../bridge/bridge.ts')
  const bridge = await startBridge({
    databaseUrl,
    databasePassword: randomToken(),
    redisUrl,
    poolSize: config.DB_POOL_SIZE,
    idleTimeoutMs: config.DB_IDLE_TIMEOUT_MS,
    connectTimeoutMs: config.DB_CONNECT_TIMEOUT_MS,
    queryTimeoutMs: config.DB_QUERY_TIMEOUT_MS,
  })
  return { env: { ...env, ...bridge.env }, close: bridge.close }
}
