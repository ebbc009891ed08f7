import type { RedisReply } from './redis-engine.ts'

/** How strings are written into the JSON of a reply. */
export type StringEncoding = 'text' | 'base64'

type JsonReply = null | number | string | readonly JsonReply[]

const toText = new TextDecoder()
const toBytes = new TextEncoder()
const CHUNK = 0x8000

/** Standard base64 with padding; in chunks, because a call has a limited number of arguments. */
export function base64(bytes: Uint8Array): string {
  let binary = ''
  for (let at = 0; at < bytes.length; at += CHUNK) {
    binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK))
  }
  return btoa(binary)
}

/**
 * A reply as Upstash puts it in `result`. With base64 every string is encoded, statuses and nested ones included;
 * the one exception is a bare status `OK` at the top. A *stored* value `OK` is therefore `T0s=`: clients keep a
 * raw `OK` as it is and decode everything else, and mere text such as `test` is valid base64 of something else.
 *
 * @see https://upstash.com/docs/redis/features/restapi#base64-encoded-responses
 */
export function jsonReply(reply: RedisReply, encoding: StringEncoding): JsonReply {
  if (reply.type === 'status' && reply.text === 'OK') return 'OK'
  return nested(reply, encoding)
}

function nested(reply: RedisReply, encoding: StringEncoding): JsonReply {
  switch (reply.type) {
    case 'status':
      return encoding === 'base64' ? base64(toBytes.encode(reply.text)) : reply.text
    case 'bulk':
      return encoding === 'base64' ? base64(reply.bytes) : toText.decode(reply.bytes)
    case 'integer':
      return reply.value
    case 'null':
      return null
    case 'array':
      return reply.items.map((item) => nested(item, encoding))
    case 'error':
      return encoding === 'base64' ? base64(toBytes.encode(reply.message)) : reply.message
  }
}

/** One item of a pipeline or a transaction, or the body of a single command: a result or an error. */
export const jsonItem = (reply: RedisReply, encoding: StringEncoding) =>
  reply.type === 'error' ? { error: reply.message } : { result: jsonReply(reply, encoding) }

/** The replies as a TCP client would read them, one after the other. */
export function resp2(replies: readonly RedisReply[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = []
  for (const reply of replies) write(reply, parts)
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

function write(reply: RedisReply, parts: Uint8Array[]): void {
  const line = (text: string) => parts.push(toBytes.encode(`${text}\r\n`))
  switch (reply.type) {
    case 'status':
      line(`+${reply.text.replace(/[\r\n]+/g, ' ')}`)
      break
    case 'bulk':
      line(`$${reply.bytes.length}`)
      parts.push(reply.bytes)
      line('')
      break
    case 'integer':
      line(`:${reply.value}`)
      break
    case 'null':
      line('$-1')
      break
    case 'array':
      line(`*${reply.items.length}`)
      for (const item of reply.items) write(item, parts)
      break
    case 'error':
      line(`-${reply.message.replace(/[\r\n]+/g, ' ')}`)
      break
  }
}
