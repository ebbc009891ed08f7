import { CheckFailure, transportFailure } from '../health/failure.ts'
import type { Command, Reply } from './store.ts'

export interface RedisAccess {
  url: string
  token: string
}

/** Sends commands in one request and brings their replies, in order, within milliseconds or until a signal. */
export type SendPipeline = (commands: readonly Command[], limit: number | AbortSignal) => Promise<Reply[]>

/**
 * One request to Upstash's REST API for any number of commands, and none repeated.
 *
 * Not by way of `@upstash/redis`: this request is on the way of every guarded one, carries commands that others add,
 * and must tell apart what went wrong. The client guesses at types, encodes replies twice and takes what is no reply
 * for one.
 *
 * @throws {@link CheckFailure} whatever goes wrong, also where the answer is not Redis'
 * @see https://upstash.com/docs/redis/features/restapi
 */
export const createPipeline = ({ url, token }: RedisAccess): SendPipeline => {
  const target = `${url.replace(/\/+$/, '')}/pipeline`
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }

  return async function sendPipeline(commands, limit) {
    let replies: unknown
    const signal = typeof limit === 'number' ? AbortSignal.timeout(limit) : limit
    try {
      const response = await fetch(target, {
        method: 'POST',
        headers,
        body: JSON.stringify(commands),
        // A token follows no redirect.
        redirect: 'manual',
        signal,
      })
      if (!response.ok) {
        // A body that nobody reads holds its connection.
        response.body?.cancel().catch(() => {})
        throw new CheckFailure(response.status === 401 || response.status === 403 ? 'auth' : 'bad_response')
      }
      replies = await response.json()
    } catch (thrown) {
      if (thrown instanceof CheckFailure) throw thrown
      if (signal.aborted) throw new CheckFailure('timeout')
      throw new CheckFailure(thrown instanceof SyntaxError ? 'bad_response' : transportFailure(thrown))
    }
    if (!Array.isArray(replies) || replies.length !== commands.length || !replies.every(isReply)) {
      throw new CheckFailure('bad_response')
    }
    return replies
  }
}

const isReply = (value: unknown): value is Reply =>
  typeof value === 'object' &&
  value !== null &&
  ('result' in value || typeof (value as { error?: unknown }).error === 'string')
