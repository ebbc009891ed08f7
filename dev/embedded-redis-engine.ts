import {
  ClientSession,
  createRedisCommandExecutor,
  encodeRedisValue,
  isResponseStream,
  RedisServerState,
  type RedisValue,
} from 'js-redis-server/core'
import { createLuaScripts, dropShebang, type PreparedCommand } from '../bridge/redis/lua-scripts.ts'
import {
  discarded,
  type RedisCommand,
  type RedisEngine,
  type RedisReply,
  type RedisStreamListener,
  RedisUnavailable,
} from '../bridge/redis/redis-engine.ts'

/**
 * A Redis inside this process, without a port, for development and tests only. It keeps everything in memory and
 * writes nothing to disk, on purpose: a development Redis starts empty. What js-redis-server lacks (ECHO, OBJECT,
 * DUMP, JSON.*) is answered as an unknown command, and the flags of a script's shebang are not enforced.
 *
 * @example
 * const engine = createEmbeddedRedisEngine()
 * await engine.command(['SET', 'key', 'value'])
 */
export function createEmbeddedRedisEngine(): RedisEngine {
  const server = new RedisServerState({ databaseCount: 1 })
  const executor = createRedisCommandExecutor()
  const scripts = createLuaScripts(dropShebang)
  const session = new ClientSession({ server, executor })
  const streams = new Set<ClientSession>()
  let closed = false
  let last: Promise<unknown> = Promise.resolve()

  /** One after the other, in the order they were asked for: a transaction must not be cut open. */
  function inTurn<T>(job: () => Promise<T>): Promise<T> {
    const run = last.then(() => {
      if (closed) throw new RedisUnavailable('unavailable', 'Redis is unavailable (the engine is closed)')
      return job()
    })
    last = run.catch(() => {})
    return run
  }

  async function run(asked: RedisCommand): Promise<RedisReply> {
    const { command, finish } = await scripts.prepare(asked)
    const reply = await execute(session, command)
    return finish ? finish(reply) : reply
  }

  return {
    command: (command) => inTurn(() => run(command)),

    transaction: (commands) =>
      inTurn(async () => {
        await execute(session, ['MULTI'])
        let refused: RedisReply | undefined
        const finishes: PreparedCommand['finish'][] = []
        for (const asked of commands) {
          const { command, finish } = await scripts.prepare(asked)
          finishes.push(finish)
          const queued = await execute(session, command)
          if (queued.type === 'error') refused ??= discarded(queued.message)
        }
        const reply = await execute(session, ['EXEC'])
        if (refused || reply.type !== 'array') return refused ?? reply
        return { type: 'array', items: reply.items.map((item, at) => finishes[at]?.(item) ?? item) }
      }),

    async stream(stream, listener) {
      const own = new ClientSession({ server, executor })
      streams.add(own)
      const words = stream.command === 'monitor' ? ['MONITOR'] : [stream.command, ...stream.targets]
      const [name, ...args] = words.map((word) => Buffer.from(word))
      const result = await own.execute(name ?? '', args)
      // MONITOR answers with endless frames, a subscription with its confirmations and then pushes into the session.
      const frames = isResponseStream(result) ? result.frames(own.signal)[Symbol.asyncIterator]() : undefined
      if (stream.command === 'monitor' && frames) {
        await frames.next()
        void forward({ [Symbol.asyncIterator]: () => frames }, listener)
      } else {
        while (frames && !(await frames.next()).done);
        void forward(own.readPushes(own.signal), listener)
      }
      return () => {
        streams.delete(own)
        own.close()
      }
    },

    async close() {
      closed = true
      session.close()
      for (const own of streams) own.close()
      streams.clear()
      server.close()
    },
  }
}

async function execute(session: ClientSession, command: RedisCommand): Promise<RedisReply> {
  const [name, ...args] = command.map((word) => Buffer.from(word))
  const result = await session.execute(name ?? '', args)
  if (!isResponseStream(result)) return typed(result.value)
  result.close('not a stream')
  return { type: 'error', message: 'ERR streams are opened with stream()' }
}

async function forward(
  frames: AsyncIterable<{ readonly value: RedisValue }>,
  listener: RedisStreamListener,
): Promise<void> {
  try {
    for await (const { value } of frames) {
      if (value.kind === 'simple-string') listener.onPush([value.value])
      else if (value.kind === 'push' && value.name.endsWith('message')) {
        listener.onPush([value.name, ...value.items.map(fieldOf)])
      }
    }
  } finally {
    listener.onEnd()
  }
}

function fieldOf(value: RedisValue): string | Uint8Array {
  const reply = typed(value)
  return reply.type === 'bulk' ? reply.bytes : ''
}

/** The reply as RESP2 has it: maps and pairs flat, doubles as strings. */
function typed(value: RedisValue): RedisReply {
  switch (value.kind) {
    case 'simple-string':
      return { type: 'status', text: value.value }
    case 'bulk-string':
      return value.value ? { type: 'bulk', bytes: value.value } : { type: 'null' }
    case 'verbatim':
      return { type: 'bulk', bytes: value.value }
    case 'integer':
    case 'boolean':
      return { type: 'integer', value: Number(value.value) }
    case 'double':
    case 'big-number':
      return { type: 'bulk', bytes: bulkBytes(value) }
    case 'array':
    case 'set':
    case 'push':
      return { type: 'array', items: value.items.map(typed) }
    case 'map':
    case 'flat-pairs':
      return { type: 'array', items: value.entries.flat().map(typed) }
    case 'map-pairs':
      return {
        type: 'array',
        items: value.entries.map((pair) => ({ type: 'array', items: pair.map(typed) })),
      }
    case 'null':
    case 'null-array':
      return { type: 'null' }
    case 'error':
      return {
        type: 'error',
        message: value.code ? `${value.code} ${value.message}` : `ERR ${value.message}`,
      }
  }
}

/** The library's own way of writing a number, taken from between the length and the end of its encoding. */
function bulkBytes(value: RedisValue): Uint8Array {
  const encoded = encodeRedisValue(value, { version: 2 })
  return encoded.subarray(encoded.indexOf('\r\n') + 2, -2)
}
