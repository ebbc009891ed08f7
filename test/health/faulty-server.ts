import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CANARY } from '../contract/canary.ts'
import { freePort } from '../free-port.ts'

type Listener = (request: IncomingMessage, response: ServerResponse) => void

/** What can be wrong with an answer. */
export const FAULTS = {
  hang: () => {},
  reset: (request) => request.socket.resetAndDestroy(),
  'closed at once': (request) => request.socket.destroy(),
  'no HTTP': (request) => request.socket.end(`${CANARY}\r\n\r\n`),
  '401': json(401, { error: `WRONGPASS ${CANARY}`, message: CANARY }),
  '403': json(403, { error: `Forbidden ${CANARY}`, message: CANARY }),
  '500': json(500, { error: `ERR ${CANARY}`, message: `relation "${CANARY}" on db.internal failed` }),
  '503': (_, response) => response.writeHead(503, { 'Retry-After': '1' }).end(CANARY),
  html: (_, response) =>
    response.writeHead(200, { 'Content-Type': 'text/html' }).end(`<!doctype html><h1>${CANARY}</h1>`),
  'wrong JSON': json(200, { hello: CANARY }),
  null: json(200, null),
  'a list': json(200, [CANARY]),
  'no JSON': (_, response) =>
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(`{"result": ${CANARY}`),
  empty: (_, response) => response.end(),
  'no gzip': (_, response) => response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(CANARY),
  redirect: (request, response) =>
    response.writeHead(307, { Location: `${request.url}?${CANARY}&redirected` }).end(),
  /** Half a body, and then nothing more. */
  'slow body': (_, response) => halfOf(response),
  /** A byte now and then, for ever. */
  drip: (_, response) => flow(response, ' ', 50),
  /** Half a body, and then the end of the connection. */
  abort: (request, response) => halfOf(response, () => request.socket.destroy()),
  /** Good JSON as far as it goes, without an end. */
  flood: (_, response) => flow(response, `"${CANARY}",`.repeat(1000), 2, '['),
} satisfies Record<string, Listener>

export type Fault = keyof typeof FAULTS

function json(status: number, body: unknown): Listener {
  return (_, response) =>
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
}

function halfOf(response: ServerResponse, then = () => {}): void {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': 1000 })
  response.write('{"result":"PONG","rows":[', then)
}

function flow(response: ServerResponse, text: string, everyMs: number, first = ''): void {
  response.writeHead(200, { 'Content-Type': 'application/json' })
  response.write(first || text)
  const timer = setInterval(() => response.write(text), everyMs)
  response.once('close', () => clearInterval(timer))
}

export interface FaultyServer {
  readonly url: string
  /** Has this fault from now on, on connections that are open already too. */
  become(fault: Fault): void
  /** Requests under a path since it has its fault, whatever became of them. */
  requests(path: string): number
  close(): Promise<void>
}

/** Answers well until it has a fault. Where it redirects to, and below a path `/well/`, it always does. */
export const startFaultyServer = async (
  answer: (url: string, request: Request) => Response | Promise<Response>,
): Promise<FaultyServer> => {
  let fault: Fault | undefined
  let seen: string[] = []
  const server = createServer(async (request, response) => {
    const path = request.url ?? ''
    seen.push(path)
    if (fault && !/\/well\/|redirected/.test(path)) return void FAULTS[fault](request, response)
    const chunks = await request.toArray()
    const spoken = await answer(
      url,
      new Request(url + path, {
        method: request.method ?? 'GET',
        headers: Object.entries(request.headers).map(([name, value]): [string, string] => [
          name,
          String(value),
        ]),
        ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
      }),
    )
    response.writeHead(spoken.status, Object.fromEntries(spoken.headers)).end(await spoken.text())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    become(next) {
      fault = next
      seen = []
    },
    requests: (path) => seen.filter((one) => one.startsWith(path)).length,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/** Where nobody listens. */
export const nobody = async (): Promise<string> => `http://127.0.0.1:${await freePort()}`
