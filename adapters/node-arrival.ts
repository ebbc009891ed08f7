import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Arrival } from '../src/gates/arrival.ts'

/** What Node knows of a request, looked up only when somebody asks. */
export class NodeArrival implements Arrival {
  readonly #incoming: IncomingMessage
  readonly #outgoing: ServerResponse

  constructor(incoming: IncomingMessage, outgoing: ServerResponse) {
    this.#incoming = incoming
    this.#outgoing = outgoing
  }
  get target() {
    return this.#incoming.url
  }
  get peer() {
    return this.#incoming.socket.remoteAddress
  }
  waitUntil() {}
  streams(response: Response) {
    return !isHeld(response)
  }
  hangUp() {
    this.#outgoing.destroy()
  }
}

/** @hono/node-server keeps `[status, body, headers]` of a response that nobody has read under a symbol. */
const isHeld = (response: Response): boolean => {
  const cache = Object.getOwnPropertySymbols(response).find(({ description }) => description === 'cache')
  const body = cache && (response as unknown as Record<symbol, unknown[]>)[cache]?.[1]
  return body === null || typeof body === 'string' || body instanceof Uint8Array || body instanceof Blob
}
