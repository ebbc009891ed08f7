import { listen } from './listen.ts'
import { createTcpRedisEngine } from './redis/tcp-redis-engine.ts'
import { createUpstashHandler } from './redis/upstash.ts'
import type { Route } from './routes.ts'
import { acceptsOnly } from './sql/accepts-only.ts'
import { createNeonHandler } from './sql/neon.ts'
import { createPgEngine } from './sql/pg-engine.ts'

/** What is undefined is as good as left out. */
export interface BridgeOptions {
  /** A plain PostgreSQL, `postgres://` or `postgresql://`. */
  readonly databaseUrl?: string | undefined
  /**
   * What callers must send as the password, in place of the database's own, which then never leaves this process.
   * Default: the database's own.
   */
  readonly databasePassword?: string | undefined
  /** A plain Redis or Valkey, `redis://` or `rediss://`. */
  readonly redisUrl?: string | undefined
  /** Loopback by default; anything else puts database and Redis on a network, behind their credentials only. */
  readonly host?: string | undefined
  /** Any free one by default. */
  readonly port?: number | undefined
  /** Bearer token for Redis; 32 random bytes by default. */
  readonly token?: string | undefined
  /** Connections to PostgreSQL at most. */
  readonly poolSize?: number | undefined
  /** After which an unused connection to PostgreSQL is closed, in ms. */
  readonly idleTimeoutMs?: number | undefined
  /** To connect, to either, in ms. */
  readonly connectTimeoutMs?: number | undefined
  /** For one SQL statement, in ms. */
  readonly queryTimeoutMs?: number | undefined
  /** For one Redis command, in ms. */
  readonly commandTimeoutMs?: number | undefined
  /** Told what callers are not: why a service could not be reached, and defects. */
  readonly report?: ((failure: unknown) => void) | undefined
}

export interface Bridge {
  /** What an app needs to reach both services through its ordinary Neon and Upstash clients. Holds secrets. */
  readonly env: Record<string, string>
  readonly url: string
  close(): Promise<void>
}

/**
 * Serves a plain PostgreSQL as Neon's SQL over HTTP and a plain Redis as Upstash's REST, on one listener of this
 * process. Neither has to be up: while one is away its requests fail, and work again when it is back.
 *
 * @throws {Error} when neither URL is given, one is malformed, or the port is taken.
 * @example
 * const bridge = await startBridge({ databaseUrl: 'postgres://…', redisUrl: 'redis://127.0.0.1:6379' })
 * Object.assign(process.env, bridge.env)
 */
export async function startBridge(options: BridgeOptions): Promise<Bridge> {
  const { databaseUrl, databasePassword, redisUrl, token = randomToken(), connectTimeoutMs, report } = options
  const { poolSize, idleTimeoutMs, queryTimeoutMs, commandTimeoutMs, host, port } = options
  if (databaseUrl === undefined && redisUrl === undefined) {
    throw new Error('a bridge needs a database URL, a Redis URL or both')
  }
  const callerUrl = databaseUrl === undefined ? '' : withPassword(databaseUrl, databasePassword)
  const routes: Route[] = []
  const closing: (() => Promise<void>)[] = []
  const env: Record<string, string> = {}

  if (databaseUrl !== undefined) {
    const accepts = acceptsOnly(callerUrl)
    const pool = given({ poolSize, idleTimeoutMs, connectTimeoutMs, queryTimeoutMs })
    const engine = createPgEngine({ connectionString: databaseUrl, ...pool })
    routes.push(['/sql', createNeonHandler({ engine, accepts, ...given({ report }) })])
    closing.push(() => engine.close())
  }
  try {
    if (redisUrl !== undefined) {
      const engine = createTcpRedisEngine({ url: redisUrl, ...given({ connectTimeoutMs, commandTimeoutMs }) })
      closing.push(() => engine.close())
      routes.push(['/', createUpstashHandler({ engine, token })])
    }
    const listener = await listen({ routes, ...given({ host, port, onError: report }) })
    closing.unshift(() => listener.close())
    if (databaseUrl !== undefined) {
      Object.assign(env, { DATABASE_URL: callerUrl, NEON_FETCH_ENDPOINT: `${listener.url}/sql` })
    }
    if (redisUrl !== undefined) {
      Object.assign(env, { UPSTASH_REDIS_REST_URL: listener.url, UPSTASH_REDIS_REST_TOKEN: token })
    }
    return { env, url: listener.url, close: () => closeAll(closing) }
  } catch (error) {
    await closeAll(closing)
    throw error
  }
}

async function closeAll(closing: readonly (() => Promise<void>)[]): Promise<void> {
  // In order: first nobody may come in, then the engines go.
  for (const close of closing) await close()
}

/** The address with another password, and with the user and database that Neon's driver insists on. */
function withPassword(databaseUrl: string, password: string | undefined): string {
  if (password === undefined || !URL.canParse(databaseUrl)) return databaseUrl
  const url = new URL(databaseUrl)
  url.password = password
  url.username ||= 'bridge'
  if (url.pathname.length < 2) url.pathname = '/bridge'
  return url.href
}

/** 32 random bytes, for whoever may use a bridge. */
export function randomToken(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32))
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

/** Without the members that were left out, so that defaults hold. */
function given<T extends object>(members: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [Key in keyof T]?: Exclude<T[Key], undefined> }
}
