/** One command: its name, then its arguments. Bytes pass through untouched, text goes out as UTF-8. */
export type RedisCommand = readonly (string | Uint8Array)[]

/**
 * One RESP2 reply, with nothing lost: a status is not a string (Upstash encodes the two differently), bytes stay
 * bytes, and what Redis refuses is a reply, not an exception.
 *
 * @see https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
export type RedisReply =
  | { readonly type: 'status'; readonly text: string }
  | { readonly type: 'bulk'; readonly bytes: Uint8Array }
  | { readonly type: 'integer'; readonly value: number }
  | { readonly type: 'null' }
  | { readonly type: 'array'; readonly items: readonly RedisReply[] }
  | { readonly type: 'error'; readonly message: string }

/** What a stream of pushes is asked for by: channels, patterns, or everything the server runs. */
export type RedisStream =
  | { readonly command: 'subscribe' | 'psubscribe'; readonly targets: readonly string[] }
  | { readonly command: 'monitor' }

/** Receives a stream: each push as its fields (`message`, channel, payload), and its end if Redis ended it. */
export interface RedisStreamListener {
  onPush(fields: readonly (string | Uint8Array)[]): void
  onEnd(): void
}

/**
 * A Redis, whatever is behind it. Commands issued in one turn of the event loop run in that order. Every method
 * rejects with {@link RedisUnavailable} when the server cannot be reached or does not answer; then, as with any
 * broken connection, nobody knows whether the command ran.
 */
export interface RedisEngine {
  /** Runs one command. What Redis refuses comes back as an `error` reply. */
  command(command: RedisCommand): Promise<RedisReply>
  /** Runs MULTI, the commands and EXEC with nobody in between: an array of replies, or one `EXECABORT` error. */
  transaction(commands: readonly RedisCommand[]): Promise<RedisReply>
  /** Opens a stream of its own; resolves with the function that ends it once Redis has confirmed. */
  stream(stream: RedisStream, listener: RedisStreamListener): Promise<() => void>
  close(): Promise<void>
}

/** The server could not be reached (`unavailable`) or did not answer in time (`timeout`). Names no host. */
export class RedisUnavailable extends Error {
  readonly code: 'unavailable' | 'timeout'

  constructor(code: 'unavailable' | 'timeout', message: string) {
    super(message)
    this.name = 'RedisUnavailable'
    this.code = code
  }
}

/** The reply to EXEC after a command was refused while it was queued, in Redis's own words plus the first reason. */
export const discarded = (reason: string): RedisReply => ({
  type: 'error',
  message: `EXECABORT Transaction discarded because of: ${reason}`,
})
