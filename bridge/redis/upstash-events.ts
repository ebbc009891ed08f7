import type { RedisEngine, RedisStream } from './redis-engine.ts'

// A reader slower than this many waiting bytes is let go, as Redis does with slow subscribers.
const MAX_BACKLOG = 1024 * 1024

/**
 * Answers SUBSCRIBE, PSUBSCRIBE and MONITOR as server-sent events: `data: message,channel,payload`. Lives until the
 * caller goes away, Redis does, or the caller reads too slowly.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export async function upstashEvents(
  engine: RedisEngine,
  stream: RedisStream,
  signal: AbortSignal,
  onEnd: () => void,
): Promise<Response> {
  const toText = new TextDecoder()
  const toBytes = new TextEncoder()
  let unsubscribe: (() => void) | undefined
  let sink: ReadableStreamDefaultController<Uint8Array> | undefined

  const finish = () => {
    if (!sink) return
    const closing = sink
    sink = undefined
    unsubscribe?.()
    signal.removeEventListener('abort', finish)
    onEnd()
    try {
      closing.close()
    } catch {
      // The reader has cancelled already.
    }
  }

  const push = (fields: readonly (string | Uint8Array)[]) => {
    const line = fields.map((field) => (typeof field === 'string' ? field : toText.decode(field))).join(',')
    const event = line.split(/\r\n|\r|\n/).map((part) => `data: ${part}\n`)
    sink?.enqueue(toBytes.encode(`${event.join('')}\n`))
    if (sink && (sink.desiredSize ?? 0) <= 0) finish()
  }

  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        sink = controller
      },
      cancel: finish,
    },
    new ByteLengthQueuingStrategy({ highWaterMark: MAX_BACKLOG }),
  )

  // Queued before the stream is asked for, so that no message can come before its confirmation.
  if (stream.command === 'monitor') push(['"OK"'])
  else for (const [at, target] of stream.targets.entries()) push([stream.command, target, String(at + 1)])
  try {
    unsubscribe = await engine.stream(stream, { onPush: push, onEnd: finish })
  } catch (error) {
    finish()
    throw error
  }
  if (!sink) unsubscribe()
  else if (signal.aborted) finish()
  else signal.addEventListener('abort', finish, { once: true })
  return new Response(body, { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' } })
}
