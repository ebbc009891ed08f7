import { createClient, ErrorReply, RESP_TYPES } from 'redis'
import {
  discarded,
  type RedisCommand,
  type RedisEngine,
  type RedisReply,
  type RedisStream,
  type RedisStreamListener,
  RedisUnavailable,
} from './redis-engine.ts'

export interface TcpRedisOptions {
  /** `redis://` or `rediss://` (TLS, verified against the system's and NODE_EXTRA_CA_CERTS's roots). */
  readonly url: string
  /** How long a connection may take until it has answered its first PING, in ms. */
  readonly connectTimeoutMs?: number
  /** How long a command may take, in ms. After that its connection is given up, and with it what else is on it. */
  readonly commandTimeoutMs?: number
}

const FIRST_RETRY_MS = 50
const LAST_RETRY_MS = 1000
// A network that swallows packets must not make a retry outlast the outage: back within 3 s at worst.
const RETRY_TIMEOUT_MS = 2000
const MAX_WAITING = 100_000

type Connection = ReturnType<typeof newClient>

/**
 * A Redis or Valkey over TCP, through one connection that all commands share. While the server is away commands fail
 * at once with {@link RedisUnavailable}: nothing is queued for later, nothing is sent twice. A server that hangs costs
 * one `commandTimeoutMs`; then the connection is replaced. A new one is tried after 50 ms at first, a second at last,
 * and counts once it has answered a PING, within 2 s at most.
 *
 * @throws {Error} when the URL is not one of Redis; the message never contains it.
 * @example
 * const engine = createTcpRedisEngine({ url: 'redis://127.0.0.1:6379' })
 * await engine.command(['GET', 'key'])
 */
export function createTcpRedisEngine({
  url,
  connectTimeoutMs = 5000,
  commandTimeoutMs = 5000,
}: TcpRedisOptions): RedisEngine {
  checkUrl(url)
  let ready: Connection | undefined
  // Why there is no connection; undefined only while the very first one is being made.
  let away: RedisUnavailable | undefined
  let retryIn = FIRST_RETRY_MS
  let retry: ReturnType<typeof setTimeout> | undefined
  let waiting = 0
  let closed = false
  const streams = new Set<Connection>()
  let connecting = connect()

  async function connect(): Promise<void> {
    const timeoutMs = away ? Math.min(connectTimeoutMs, RETRY_TIMEOUT_MS) : connectTimeoutMs
    const connection = newClient(url, timeoutMs, (cause) => lose(connection, cause))
    try {
      await open(connection, timeoutMs)
      if (closed) return connection.destroy()
      ready = connection
      away = undefined
      retryIn = FIRST_RETRY_MS
    } catch (cause) {
      away = unavailable(cause)
      reconnectLater()
    }
  }

  function lose(connection: Connection, cause: unknown): void {
    if (connection !== ready) return
    ready = undefined
    away = unavailable(cause)
    connection.destroy()
    reconnectLater()
  }

  function reconnectLater(): void {
    if (closed) return
    clearTimeout(retry)
    retry = setTimeout(() => {
      connecting = connect()
    }, retryIn)
    retry.unref()
    retryIn = Math.min(retryIn * 2, LAST_RETRY_MS)
  }

  async function connection(): Promise<Connection> {
    if (!ready && !away) await connecting
    if (closed) throw new RedisUnavailable('unavailable', 'Redis is unavailable (the engine is closed)')
    if (!ready) throw away ?? new RedisUnavailable('unavailable', 'Redis is unavailable')
    return ready
  }

  /** Sends commands in one turn, so that they are neighbours on the wire, and waits for all replies. */
  async function send(commands: readonly RedisCommand[]): Promise<RedisReply[]> {
    if (waiting + commands.length > MAX_WAITING) {
      throw new RedisUnavailable('unavailable', 'Redis is unavailable (too many commands are waiting)')
    }
    waiting += commands.length
    try {
      const link = ready ?? (await connection())
      const replies = Promise.all(commands.map((command) => reply(link.sendCommand(command.map(argument)))))
      return await within(commandTimeoutMs, replies, () => {
        const late = new RedisUnavailable('timeout', `Redis did not answer within ${commandTimeoutMs} ms`)
        lose(link, late)
        return late
      })
    } finally {
      waiting -= commands.length
    }
  }

  return {
    async command(command) {
      const [answer] = await send([command])
      return answer ?? { type: 'null' }
    },

    async transaction(commands) {
      const replies = await send([['MULTI'], ...commands, ['EXEC']])
      const refused = replies.slice(1, -1).find((one) => one.type === 'error')
      return refused?.type === 'error' ? discarded(refused.message) : (replies.at(-1) ?? { type: 'null' })
    },

    async stream(stream, listener) {
      if (closed) await connection()
      const own = newClient(url, connectTimeoutMs, () => end())
      const end = () => {
        if (!streams.delete(own)) return
        own.destroy()
        listener.onEnd()
      }
      streams.add(own)
      try {
        await open(own, connectTimeoutMs)
        await within(commandTimeoutMs, listen(own, stream, listener))
      } catch (cause) {
        streams.delete(own)
        own.destroy()
        throw unavailable(cause)
      }
      return () => {
        streams.delete(own)
        own.destroy()
      }
    },

    async close() {
      closed = true
      clearTimeout(retry)
      ready?.destroy()
      ready = undefined
      for (const own of streams) own.destroy()
      streams.clear()
    },
  }
}

function newClient(url: string, connectTimeout: number, onLost: (cause: unknown) => void) {
  const client = createClient({
    url,
    RESP: 2,
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    // Its own timeout only removes what is not yet written, and could cut a piece out of a transaction.
    commandOptions: { timeout: 0, typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
    socket: { connectTimeout, reconnectStrategy: false },
  })
  // Without a listener an error event would end the process.
  client.on('error', onLost)
  return client
}

async function open(connection: Connection, timeoutMs: number): Promise<void> {
  // A server can accept and say nothing for ever, so that connecting alone proves little.
  const hello = connection.connect().then(() => connection.sendCommand(['PING']))
  // Destroyed whenever it fails: one that connects after its time is up would otherwise stay for ever.
  hello.catch(() => connection.destroy())
  try {
    await within(timeoutMs, hello)
  } catch (cause) {
    connection.destroy()
    throw cause
  }
}

async function listen(connection: Connection, stream: RedisStream, listener: RedisStreamListener) {
  switch (stream.command) {
    case 'monitor':
      return connection.monitor((line) => listener.onPush([String(line)]))
    case 'subscribe':
      return connection.subscribe(
        [...stream.targets],
        (payload, channel) => listener.onPush(['message', channel, payload]),
        true,
      )
    case 'psubscribe':
      // The client does not tell which pattern matched: one listener for each.
      for (const pattern of stream.targets) {
        await connection.pSubscribe(
          pattern,
          (payload, channel) => listener.onPush(['pmessage', pattern, channel, payload]),
          true,
        )
      }
  }
}

const argument = (word: string | Uint8Array) =>
  typeof word === 'string' ? word : Buffer.from(word.buffer, word.byteOffset, word.byteLength)

/** What Redis answered, refusals included; rejects with RedisUnavailable when it did not answer. */
async function reply(sent: Promise<unknown>): Promise<RedisReply> {
  try {
    return typed(await sent)
  } catch (cause) {
    if (cause instanceof ErrorReply) return typed(cause)
    throw unavailable(cause)
  }
}

function typed(value: unknown): RedisReply {
  if (typeof value === 'string') return { type: 'status', text: value }
  if (typeof value === 'number') return { type: 'integer', value }
  if (value instanceof Uint8Array) return { type: 'bulk', bytes: value }
  if (Array.isArray(value)) return { type: 'array', items: value.map(typed) }
  if (value instanceof Error) return { type: 'error', message: value.message }
  return { type: 'null' }
}

/** Rejects after `ms` with what `late` says; the promise itself cannot be stopped, only forgotten. */
async function within<T>(ms: number, promise: Promise<T>, late?: () => Error): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(late?.() ?? new RedisUnavailable('timeout', `Redis did not answer within ${ms} ms`)),
      ms,
    )
  })
  try {
    return await Promise.race([promise, timeout])
  } finally {
    clearTimeout(timer)
  }
}

function unavailable(cause: unknown): RedisUnavailable {
  if (cause instanceof RedisUnavailable) return cause
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined
  const refusal = cause instanceof ErrorReply ? cause.message.split(' ')[0] : undefined
  const error = new RedisUnavailable(
    'unavailable',
    `Redis is unavailable (${code ?? refusal ?? 'connection lost'})`,
  )
  error.cause = cause
  return error
}

function checkUrl(url: string): void {
  if (!URL.canParse(url) || !['redis:', 'rediss:'].includes(new URL(url).protocol)) {
    throw new Error('the Redis URL must start with redis:// or rediss://')
  }
}
