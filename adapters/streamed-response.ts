/**
 * Responses whose body a script feeds. Bun and workerd do not say which these are, and where such a stream fails they
 * print its error and break off. So the constructor notes it; @hono/node-server puts one of its own on Node too.
 */
const streamed = new WeakSet<Response>()

const Native = globalThis.Response

class TellingResponse extends Native {
  constructor(...[body, init]: ConstructorParameters<typeof Native>) {
    super(body, init)
    if (typeof body === 'object' && body !== null && Symbol.asyncIterator in body) streamed.add(this)
  }
  /** Those that are made otherwise, as `fetch` does, are responses as well. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return Function.prototype[Symbol.hasInstance].call(Native, value)
  }
}
Object.defineProperty(globalThis, 'Response', { value: TellingResponse, writable: true, configurable: true })

/** Whether a body can still fail: one that a script feeds, or one that `fetch` brought. */
export const isStreamed = (response: Response): boolean => streamed.has(response) || response.url !== ''
