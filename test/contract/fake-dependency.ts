import { once } from 'node:events'
import { createServer, type Server as HttpServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CANARY } from './canary.ts'

/** How a dependency behaves. `refuse`: nobody listens. `reset`: it takes the request and hangs up. */
export type Mode =
  | 'ok'
  | 'refuse'
  | 'reset'
  | 'hang'
  | '401'
  | '500'
  | 'html'
  | 'wrong-json'
  | 'no-json'
  | 'empty'

/** A service behind the app that counts who asks, and fails as it is told. */
export interface FakeDependency {
  readonly url: string
  /** Requests since the start; connections that were refused leave no trace. */
  requests(): number
  become(mode: Mode): Promise<void>
  close(): Promise<void>
}

type Speak = (request: IncomingMessage, body: unknown) => unknown

const startFake = async (speak: Speak): Promise<FakeDependency> => {
  let mode: Mode = 'ok'
  let requests = 0
  const server: HttpServer = createServer(async (request, response) => {
    requests++
    const json = (status: number, body: unknown) => {
      response.writeHead(status, { 'Content-Type': 'application/json' })
      response.end(JSON.stringify(body))
    }
    switch (mode) {
      case 'hang':
        return
      case 'reset':
        return void request.socket.resetAndDestroy()
      case 'empty':
        return void response.end()
      case 'html':
        response.writeHead(200, { 'Content-Type': 'text/html' })
        return void response.end(`<!doctype html><h1>Gateway ${CANARY}</h1>`)
      case 'no-json':
        response.writeHead(200, { 'Content-Type': 'application/json' })
        return void response.end(`{"result": ${CANARY}`)
      case 'wrong-json':
        return json(200, { hello: CANARY })
      case '401':
        return json(401, { error: `Unauthorized ${CANARY}`, message: CANARY })
      case '500':
        return json(500, { error: `ERR ${CANARY}`, message: `relation "${CANARY}" on db.internal failed` })
      default:
        json(200, speak(request, JSON.parse(await textOf(request))))
    }
  })
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  const close = async () => {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  await listen(0)
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => requests,
    async become(next) {
      const listens = mode !== 'refuse'
      mode = next
      if (next === 'refuse' && listens) await close()
      if (next !== 'refuse' && !listens) await listen(port)
      // What hangs would go on hanging.
      if (listens && next !== 'refuse') server.closeAllConnections()
    },
    close: async () => (mode === 'refuse' ? undefined : close()),
  }
}

const textOf = async (request: IncomingMessage): Promise<string> => {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  return text
}

/** Neon's SQL over HTTP, as far as one row of one column goes: everything else is an empty table. */
export const startFakeDatabase = (): Promise<FakeDependency> =>
  startFake((_, body) => {
    const one = /select 1 as one/i.test((body as { query?: string }).query ?? '')
    const fields = one ? [{ name: 'one', dataTypeID: 23, tableID: 0, columnID: 0, format: 'text' }] : []
    return { command: 'SELECT', rowCount: fields.length, rowAsArray: true, fields, rows: one ? [['1']] : [] }
  })

/** Upstash's REST, as far as `PING` goes. */
export const startFakeRedis = (): Promise<FakeDependency> =>
  startFake((request, body) => {
    const encode = request.headers['upstash-encoding'] === 'base64' ? btoa : String
    const answer = (command: unknown) =>
      Array.isArray(command) && /^ping$/i.test(String(command[0]))
        ? { result: encode('PONG') }
        : { result: null }
    return Array.isArray(body) && Array.isArray(body[0]) ? body.map(answer) : answer(body)
  })
