import type { RedisCommand, RedisReply } from './redis-engine.ts'

/** A command as the engine should see it, and what to do to its reply before the caller sees that. */
export interface PreparedCommand {
  readonly command: RedisCommand
  readonly finish?: (reply: RedisReply) => RedisReply
}

const MAX_ALIASES = 1000
const text = new TextDecoder()

/**
 * Drops `allow-key-locking`, a flag only Upstash's server knows, from a script's shebang. All scripts of
 * `@upstash/ratelimit` start with `#!lua flags=allow-key-locking`; plain Redis refuses them. The line stays, as a
 * comment if nothing else is left of it, so that line numbers in errors stay true.
 */
export function dropKeyLocking(script: string): string {
  return script.replace(/^#!lua[^\r\n]*/, (line) => {
    const words = line.split(/\s+/).filter((word) => word !== '')
    let dropped = false
    const kept = words.flatMap((word) => {
      if (!word.startsWith('flags=')) return [word]
      const flags = word.slice('flags='.length).split(',')
      const rest = flags.filter((flag) => flag !== 'allow-key-locking')
      dropped ||= rest.length < flags.length
      return rest.length > 0 ? [`flags=${rest.join(',')}`] : []
    })
    if (!dropped) return line
    return kept.length > 1 ? kept.join(' ') : '--'
  })
}

/** Turns the whole shebang into a comment, for an engine whose Lua knows none. Its other flags are not enforced. */
export const dropShebang = (script: string): string => script.replace(/^#![^\r\n]*/, '--')

/**
 * Lets callers name scripts by the SHA-1 of their own text though the engine runs a rewritten one. EVAL and SCRIPT
 * LOAD teach the pair of hashes, EVALSHA and SCRIPT EXISTS use it, SCRIPT LOAD answers with the caller's hash. What
 * was learnt is bounded and lost at a restart: the engine then says NOSCRIPT and the client sends EVAL again.
 *
 * @example
 * const scripts = createLuaScripts(dropKeyLocking)
 * const { command, finish } = await scripts.prepare(['EVALSHA', sha, '1', 'key'])
 */
export function createLuaScripts(rewrite: (script: string) => string) {
  const aliases = new Map<string, string>()

  async function learn(script: string, rewritten: string): Promise<string> {
    const [original, actual] = await Promise.all([sha1(script), sha1(rewritten)])
    aliases.delete(original)
    aliases.set(original, actual)
    for (const oldest of aliases.keys()) {
      if (aliases.size <= MAX_ALIASES) break
      aliases.delete(oldest)
    }
    return original
  }

  const known = (sha: string | Uint8Array) => aliases.get(asText(sha).toLowerCase()) ?? sha

  async function prepare(command: RedisCommand): Promise<PreparedCommand> {
    const [name, first, ...rest] = command
    if (name === undefined || first === undefined) return { command }
    switch (asText(name).toUpperCase()) {
      case 'EVAL':
      case 'EVAL_RO': {
        const rewritten = await rewriteBody(first)
        return rewritten ? { command: [name, rewritten.body, ...rest] } : { command }
      }
      case 'EVALSHA':
      case 'EVALSHA_RO':
        return { command: [name, known(first), ...rest] }
      case 'SCRIPT':
        return prepareScript(command, name, first, rest)
      default:
        return { command }
    }
  }

  async function prepareScript(
    command: RedisCommand,
    name: string | Uint8Array,
    first: string | Uint8Array,
    rest: RedisCommand,
  ): Promise<PreparedCommand> {
    const subcommand = asText(first).toUpperCase()
    if (subcommand === 'EXISTS') return { command: [name, first, ...rest.map(known)] }
    const [body, ...more] = rest
    if (subcommand !== 'LOAD' || body === undefined) return { command }
    const rewritten = await rewriteBody(body)
    if (!rewritten) return { command }
    const bytes = new TextEncoder().encode(rewritten.sha)
    return {
      command: [name, first, rewritten.body, ...more],
      finish: (reply) => (reply.type === 'bulk' ? { type: 'bulk', bytes } : reply),
    }
  }

  async function rewriteBody(script: string | Uint8Array) {
    const source = asText(script)
    const body = rewrite(source)
    return body === source ? undefined : { body, sha: await learn(source, body) }
  }

  return { prepare }
}

const asText = (value: string | Uint8Array) => (typeof value === 'string' ? value : text.decode(value))

async function sha1(script: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(script))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
