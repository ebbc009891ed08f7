import type { App } from '../src/app.ts'
import type { Arrival } from '../src/gates/arrival.ts'
import { type Listen, runProcess } from './process.ts'
import { isStreamed } from './streamed-response.ts'

class BunArrival implements Arrival {
  readonly #request: Request
  readonly #server: Bun.Server<undefined>

  constructor(request: Request, server: Bun.Server<undefined>) {
    this.#request = request
    this.#server = server
  }
  get peer() {
    return this.#server.requestIP(this.#request)?.address
  }
  waitUntil() {}
  streams(response: Response) {
    const streamed = isStreamed(response)
    // An event stream may have nothing to say for a long time.
    if (streamed) this.#server.timeout(this.#request, 0)
    return streamed
  }
}

const listen: Listen = async ({ port, hostname, idleSeconds, fetch, refuse }) => {
  const server = Bun.serve({
    port,
    ...(hostname && { hostname }),
    development: false,
    // Parapet's own limits hold here: the body's by bytes, the request's by time.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    idleTimeout: idleSeconds,
    fetch: (request, server) => fetch(request, new BunArrival(request, server)),
    error: () => refuse('GET'),
  })
  return {
    port: server.port ?? port,
    pending: () => server.pendingRequests,
    stop: () => server.stop(),
  }
}

/** Serves an app on Bun until SIGTERM or SIGINT. */
export const serve = (app: App): Promise<void> => runProcess(app, 'bun', listen)
