import { once } from 'node:events'
import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createUpstashHandler } from '../../bridge/redis/upstash.ts'
import { createEmbeddedRedisEngine } from '../../dev/embedded-redis-engine.ts'
import { MIGRATIONS } from '../../src/data/migration-manifest.ts'
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
  /** Half a body, and then nothing more. */
  | 'half'
  /** Half a body, and then the end of the connection. */
  | 'half-cut'
  /** The right answer, after a second. */
  | 'slow'
  /** A pipeline is answered, and every command in it is refused. */
  | 'error-each'

/** A service behind the app that counts who asks, and fails as it is told. */
export interface FakeDependency {
  readonly url: string
  /** Requests since the start; connections that were refused leave no trace. */
  requests(): number
  become(mode: Mode): Promise<void>
  close(): Promise<void>
}

/** What it answers while all is well. */
type Speak = (request: Request, body: unknown) => Response | Promise<Response>

const SLOW_MS = 1000

const startFake = async (speak: Speak): Promise<FakeDependency> => {
  let mode: Mode = 'ok'
  let requests = 0

  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const text = await textOf(request)
    const body = text === '' ? undefined : JSON.parse(text)
    if (mode === 'slow') await new Promise((resolve) => setTimeout(resolve, SLOW_MS))
    if (mode === 'error-each' && Array.isArray(body) && Array.isArray(body[0])) {
      return json(
        response,
        200,
        body.map(() => ({ error: `ERR ${CANARY}` })),
      )
    }
    const spoken = await speak(webRequest(request, text), body)
    const answer = Buffer.from(await spoken.arrayBuffer())
    const headers = { ...Object.fromEntries(spoken.headers), 'Content-Length': answer.length }
    response.writeHead(spoken.status, headers)
    if (mode !== 'half' && mode !== 'half-cut') return void response.end(answer)
    const cut = mode === 'half-cut'
    response.write(answer.subarray(0, answer.length / 2), () => cut && request.socket.destroy())
  }

  const server: HttpServer = createServer((request, response) => {
    requests++
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
        return json(response, 200, { hello: CANARY })
      case '401':
        return json(response, 401, { error: `Unauthorized ${CANARY}`, message: CANARY })
      case '500': {
        const message = `relation "${CANARY}" on db.internal failed`
        return json(response, 500, { error: `ERR ${CANARY}`, message })
      }
      default:
        // Whoever asked may have hung up meanwhile.
        respond(request, response).catch(() => request.socket.destroy())
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

const json = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'Content-Type': 'application/json' })
  response.end(JSON.stringify(body))
}

const textOf = async (request: IncomingMessage): Promise<string> => {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  return text
}

const webRequest = ({ method = 'GET', url = '/', headers }: IncomingMessage, text: string): Request =>
  new Request(`http://fake.invalid${url}`, {
    method,
    headers: Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]),
    ...(text !== '' && { body: text }),
  })

/** Neon's SQL over HTTP, as far as checks ask: a one, and what is migrated. Everything else is an empty table. */
export const startFakeDatabase = (): Promise<FakeDependency> =>
  startFake((_, body) => {
    const { query = '' } = body as { query?: string }
    const [name, dataTypeID, values] = /select 1 as one/i.test(query)
      ? ['one', 23, ['1']]
      : /from parapet_migrations/i.test(query)
        ? ['id', 25, MIGRATIONS]
        : []
    const fields = name ? [{ name, dataTypeID, tableID: 0, columnID: 0, format: 'text' }] : []
    const rows = (values ?? []).map((value) => [value])
    return Response.json({ command: 'SELECT', rowCount: rows.length, rowAsArray: true, fields, rows })
  })

export interface FakeRedis extends FakeDependency {
  /** The names of the commands of every request that it understood, since the start. */
  asked(): readonly (readonly string[])[]
  /** Runs a command without the app knowing. */
  run(...command: string[]): Promise<void>
}

/** A Redis of its own behind Upstash's REST. Its token is the canary. */
export const startFakeRedis = async (): Promise<FakeRedis> => {
  const engine = createEmbeddedRedisEngine()
  const handler = createUpstashHandler({ engine, token: CANARY })
  const asked: string[][] = []
  const fake = await startFake((request, body) => {
    const commands = (Array.isArray(body) && Array.isArray(body[0]) ? body : [body]) as unknown[][]
    asked.push(commands.map(([name]) => String(name).toUpperCase()))
    return handler(request)
  })
  return {
    ...fake,
    asked: () => asked,
    async run(...command) {
      const reply = await engine.command(command)
      if (reply.type === 'error') throw new Error(reply.message)
    },
    async close() {
      await fake.close()
      await engine.close()
    },
  }
}
