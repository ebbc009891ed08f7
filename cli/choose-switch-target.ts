import { loadConfig, readVariable } from '../src/config/config.ts'
import { isLoopback } from '../src/config/rules.ts'
import { ConfigurationError, type Given, type Terminal, UsageError } from './command.ts'
import type { SwitchTarget } from './switch-target.ts'
import { switchesInRedis } from './switches-in-redis.ts'
import { switchesOverHttp } from './switches-over-http.ts'

const URL_RULE =
  '--url must be an https:// address (http:// on a loopback host only) without credentials, query or fragment'

/** The instance that `--url` names, or the Redis of the environment, as an instance would use it. */
export const chooseSwitchTarget = async ({ url }: Given, { env }: Terminal): Promise<SwitchTarget> => {
  if (url !== undefined) {
    const target = URL.canParse(String(url)) ? new URL(String(url)) : undefined
    if (!target || !isSafe(target)) throw new UsageError(URL_RULE)
    const token = readVariable(env, 'INTERNAL_API_KEY') ?? readVariable(env, 'CONSOLE_INTERNAL_TOKEN')
    if (!token) throw new ConfigurationError("INTERNAL_API_KEY must be set: --url needs the instance's token")
    return switchesOverHttp({ url: String(url), token })
  }
  const { config, problems } = loadConfig(env)
  const faults = problems.filter(({ name }) => /^(?:UPSTASH_|REDIS_URL$)/.test(name))
  if (faults.length > 0) {
    throw new ConfigurationError(faults.map(({ name, reason }) => `${name} ${reason}`).join('; '))
  }
  const { UPSTASH_REDIS_REST_URL, UPSTASH_REDIS_REST_TOKEN, REDIS_URL } = config
  if (UPSTASH_REDIS_REST_URL && UPSTASH_REDIS_REST_TOKEN) {
    return switchesInRedis({ url: UPSTASH_REDIS_REST_URL, token: UPSTASH_REDIS_REST_TOKEN })
  }
  if (REDIS_URL) {
    const { startBridge } = await import('../bridge/bridge.ts')
    const bridge = await startBridge({ redisUrl: REDIS_URL, connectTimeoutMs: 2000, commandTimeoutMs: 2000 })
    const { UPSTASH_REDIS_REST_URL: url = '', UPSTASH_REDIS_REST_TOKEN: token = '' } = bridge.env
    return switchesInRedis({ url, token, close: bridge.close })
  }
  throw new ConfigurationError(
    'set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN, or REDIS_URL, or name an instance with --url',
  )
}

const isSafe = ({ protocol, hostname, username, password, search, hash }: URL): boolean =>
  (protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))) &&
  !(username || password || search || hash)
