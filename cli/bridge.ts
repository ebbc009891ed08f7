import { startBridge } from '../bridge/bridge.ts'
import { loadConfig } from '../src/config/config.ts'
import { isLoopback } from '../src/config/rules.ts'
import { type Command, EXIT, UsageError } from './command.ts'

/** `parapet bridge`: Neon's and Upstash's protocols over a plain PostgreSQL and a TCP Redis. */
export const bridge: Command = {
  name: 'bridge',
  summary:
    "speaks Neon's and Upstash's protocols over the PostgreSQL of DATABASE_URL and the Redis of REDIS_URL",
  options: {
    host: { value: '<address>', help: 'where to listen (default 127.0.0.1)' },
    port: { value: '<number>', help: 'on which port (default: any free one)' },
    'token-variable': {
      value: '<name>',
      help: 'environment variable that holds the Redis token (default: a random one)',
    },
    'show-token': { help: 'print the random token, for a shell that captures it' },
  },
  async run(options, { env, out, err }) {
    const port = options.port === undefined ? 0 : Number(options.port)
    if (!Number.isInteger(port) || port < 0 || port > 65535)
      throw new UsageError('--port must be a number from 0 to 65535')
    const host = String(options.host ?? '127.0.0.1')
    const variable = options['token-variable']
    const token = variable === undefined ? undefined : env[String(variable)]
    if (variable !== undefined && (token === undefined || token.length < 32)) {
      throw new UsageError('--token-variable must name a variable that holds 32 characters or more')
    }
    if (!isLoopback(host) && token === undefined)
      throw new UsageError('--host other than loopback needs --token-variable')

    const { config, problems } = loadConfig(env)
    const own = problems.filter(({ name }) => name === 'DATABASE_URL' || name === 'REDIS_URL')
    if (!config.DATABASE_URL && !config.REDIS_URL)
      own.push({ name: 'DATABASE_URL or REDIS_URL', reason: 'must be set' })
    if (own.length > 0) {
      for (const { name, reason } of own) err(`[env-validation] FATAL ${name} ${reason}\n`)
      return EXIT.badConfiguration
    }
    const running = await startBridge({
      host,
      port,
      ...(token && { token }),
      ...(config.DATABASE_URL && { databaseUrl: config.DATABASE_URL }),
      ...(config.REDIS_URL && { redisUrl: config.REDIS_URL }),
      poolSize: config.DB_POOL_SIZE,
      idleTimeoutMs: config.DB_IDLE_TIMEOUT_MS,
      connectTimeoutMs: config.DB_CONNECT_TIMEOUT_MS,
      queryTimeoutMs: config.DB_QUERY_TIMEOUT_MS,
    }).catch((thrown: NodeJS.ErrnoException) => {
      err(
        `parapet bridge: ${thrown.code === 'EADDRINUSE' ? `port ${port} is taken: choose another --port` : thrown.message}\n`,
      )
    })
    if (!running) return EXIT.failed

    const { NEON_FETCH_ENDPOINT, UPSTASH_REDIS_REST_URL, UPSTASH_REDIS_REST_TOKEN } = running.env
    if (NEON_FETCH_ENDPOINT) out(`NEON_FETCH_ENDPOINT=${NEON_FETCH_ENDPOINT}\n`)
    if (UPSTASH_REDIS_REST_URL) out(`UPSTASH_REDIS_REST_URL=${UPSTASH_REDIS_REST_URL}\n`)
    if (UPSTASH_REDIS_REST_TOKEN && options['show-token'])
      out(`UPSTASH_REDIS_REST_TOKEN=${UPSTASH_REDIS_REST_TOKEN}\n`)
    await new Promise<void>((resolve) => {
      process.once('SIGINT', resolve)
      process.once('SIGTERM', resolve)
    })
    await running.close()
    return EXIT.done
  },
}
