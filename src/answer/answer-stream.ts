/** Milliseconds that a stream may take to fail before its headers are on the way. */
const GRACE_MS = 50

/** A body that is surely not a stream, where the runtime cannot tell: Hono's `json`, `text` and `html`. */
const STATIC_TYPE = /^(?:application\/(?:problem\+)?json|text\/(?:plain|html))/i

/** Answers that need no second wall. */
const sound = new WeakSet<Response>()

export interface AnswerStreamOptions {
  /** Whether the body is a stream that can still fail, where the runtime can tell. */
  streams?: ((response: Response) => boolean | Promise<boolean>) | undefined
  /** Told of a failure after the first byte, when the status cannot be taken back. */
  onFailure: (thrown: unknown) => void
  /** Breaks the connection off. Without it the stream itself is ended with an error. */
  hangUp?: (() => void) | undefined
}

/**
 * Stands between a streamed body and the runtime: a stream that fails at once throws here, where it can still
 * become a proper error; one that fails later ends the connection, and no runtime prints or sends its error.
 *
 * @throws whatever the stream failed with within the first moments
 */
export const answerStream = async (response: Response, options: AnswerStreamOptions): Promise<Response> => {
  if (response.status === 101 || sound.has(response)) return response
  const streams = options.streams
    ? await options.streams(response)
    : !STATIC_TYPE.test(response.headers.get('Content-Type') ?? '')
  return streams && response.body ? rebuild(response, response.body, options) : response
}

/** The same for an answer that is known to be a stream. */
export const rebuild = async (
  response: Response,
  body: ReadableStream<Uint8Array>,
  { onFailure, hangUp }: AnswerStreamOptions,
): Promise<Response> => {
  const reader = body.getReader()
  const first = reader.read()
  first.catch(() => {})
  let next: typeof first | undefined = first
  let timer: ReturnType<typeof setTimeout> | undefined
  await Promise.race([first, new Promise((resolve) => (timer = setTimeout(resolve, GRACE_MS)))]).finally(() =>
    clearTimeout(timer),
  )

  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await (next ?? reader.read())
        next = undefined
        if (done) controller.close()
        else controller.enqueue(value)
      } catch (thrown) {
        onFailure(thrown)
        if (hangUp) {
          hangUp()
          controller.close()
        } else controller.error()
      }
    },
    cancel: (reason) => reader.cancel(reason),
  })
  const rebuilt = new Response(stream, response)
  sound.add(rebuilt)
  return rebuilt
}
