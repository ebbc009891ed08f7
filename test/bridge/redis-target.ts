import { randomUUID } from 'node:crypto'
import { Redis } from '@upstash/redis'
import { type Listener, listen } from '../../bridge/listen.ts'
import type { RedisEngine } from '../../bridge/redis/redis-engine.ts'
import { createUpstashHandler } from '../../bridge/redis/upstash.ts'

export const TOKEN = 'full-access-token'
export const READ_TOKEN = 'read-only-token'
export const MAX_REQUEST_BYTES = 1_000_000

/** An engine behind a real HTTP listener, and the real client in front of it. */
export interface RedisTarget {
  readonly redis: Redis
  readonly url: string
  /** A key of this run only: a real Redis is shared. */
  key(name: string): string
  /** One raw request with the full token; a body that is not a string is sent as JSON. */
  send(path: string, init?: SendInit): Promise<Sent>
  /** A client of its own, with other settings. */
  client(options?: { token?: string; responseEncoding?: false; enableAutoPipelining?: boolean }): Redis
  close(): Promise<void>
}

export interface SendInit {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: unknown
  /** Null sends none. */
  readonly token?: string | null
}

export interface Sent {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: unknown
}

export async function openTarget(engine: RedisEngine): Promise<RedisTarget> {
  const handler = createUpstashHandler({
    engine,
    token: TOKEN,
    readOnlyToken: READ_TOKEN,
    maxRequestBytes: MAX_REQUEST_BYTES,
    maxStreams: 3,
  })
  const listener: Listener = await listen({ routes: [['/', handler]] })
  const prefix = `parapet-test:${randomUUID()}`
  const client: RedisTarget['client'] = ({ token = TOKEN, ...options } = {}) =>
    new Redis({ url: listener.url, token, retry: { retries: 0 }, enableTelemetry: false, ...options })
  const redis = client()

  return {
    redis,
    url: listener.url,
    key: (name) => `${prefix}:${name}`,
    client,
    async send(path, { method = 'POST', headers = {}, body, token = TOKEN } = {}) {
      const response = await fetch(listener.url + path, {
        method,
        headers: { ...(token !== null && { authorization: `Bearer ${token}` }), ...headers },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await response.text()
      let json: unknown
      try {
        json = JSON.parse(text)
      } catch {
        // Left undefined: the caller looks at the text.
      }
      return { status: response.status, headers: response.headers, text, json }
    },
    async close() {
      for (let cursor = '0'; ; ) {
        const [next, keys] = await redis.scan(cursor, { match: `*${prefix}*`, count: 1000 })
        if (keys.length > 0) await redis.del(...keys)
        cursor = next
        if (cursor === '0') break
      }
      await listener.close()
      await engine.close()
    },
  }
}
