import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Handler } from './handler.ts'
import { type Route, routes as toHandler } from './routes.ts'

export interface ListenOptions {
  readonly routes: readonly Route[]
  /** Loopback by default. Anything else puts the services on a network and has to be asked for. */
  readonly host?: string
  /** 0 takes any free port. */
  readonly port?: number
  /** Largest request body, in bytes; what is larger is refused with 413 before a handler sees it. */
  readonly maxBodyBytes?: number
  /** Told of what a handler throws; the caller only gets a 500 that says nothing. */
  readonly onError?: (error: unknown) => void
}

export interface Listener {
  readonly url: string
  readonly port: number
  /** Takes no more requests, lets those in flight finish for up to a second, then cuts what is left. */
  close(): Promise<void>
}

/** Thrown by a handler to have the connection cut without an answer, as a broken network would. */
export class ConnectionDropped extends Error {
  constructor() {
    super('connection dropped')
    this.name = 'ConnectionDropped'
  }
}

const GRACE_MS = 1000
const KEEP_ALIVE_MS = 65_000

class BodyTooLarge extends Error {}

/**
 * Serves Request → Response handlers over HTTP on Node and on Bun. Responses stream, a caller who goes away aborts
 * the request's signal, and nothing a caller sends ends the process.
 *
 * @throws {Error} `port 8080 on 127.0.0.1 is taken`, with `code` EADDRINUSE; or why else it cannot listen.
 * @example
 * const { url, close } = await listen({ routes: [['/sql', sqlHandler], ['/', redisHandler]] })
 */
export async function listen({
  routes,
  host = '127.0.0.1',
  port = 0,
  maxBodyBytes = 64 * 1024 * 1024,
  onError = () => {},
}: ListenOptions): Promise<Listener> {
  // Node takes an empty host for every address of the machine.
  if (host === '') throw new Error('the host to listen on must not be empty')
  const handler = toHandler(routes)
  const server = createServer((incoming, outgoing) => {
    answer(handler, incoming, outgoing, maxBodyBytes, onError).catch(onError)
  })
  server.keepAliveTimeout = KEEP_ALIVE_MS
  server.on('clientError', (_error, socket) => {
    if (socket.writable)
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
    else socket.destroy()
  })
  const bound = await bind(server, host, port)
  return { url: `http://${reachable(host)}:${bound}`, port: bound, close: () => shut(server) }
}

async function answer(
  handler: Handler,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  maxBodyBytes: number,
  onError: (error: unknown) => void,
): Promise<void> {
  const gone = new AbortController()
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) gone.abort()
  })
  outgoing.on('error', () => gone.abort())
  try {
    const request = await toRequest(incoming, maxBodyBytes, gone.signal)
    if (!request) return refuse(incoming, outgoing, 400)
    await send(await handler(request), outgoing, gone.signal)
  } catch (error) {
    if (error instanceof BodyTooLarge) return refuse(incoming, outgoing, 413)
    if (gone.signal.aborted) return
    if (error instanceof ConnectionDropped) return void incoming.socket.destroy()
    onError(error)
    if (outgoing.headersSent) incoming.socket.destroy()
    else refuse(incoming, outgoing, 500)
  }
}

/** The request as the web platform has it; undefined when it cannot be one. */
async function toRequest(
  incoming: IncomingMessage,
  maxBodyBytes: number,
  signal: AbortSignal,
): Promise<Request | undefined> {
  const { method = 'GET', url = '', headers } = incoming
  // Absolute and `*` targets are for proxies; a web Request cannot have these methods, though Bun's takes them.
  if (!url.startsWith('/') || ['CONNECT', 'TRACE', 'TRACK'].includes(method)) return undefined
  const body = method === 'GET' || method === 'HEAD' ? null : await readBody(incoming, maxBodyBytes)
  try {
    // Never from the Host header: handlers route by path, and a caller must not choose the origin.
    return new Request(new URL(`http://parapet.invalid${url}`), {
      method,
      headers: Object.entries(headers).flatMap(([name, value]): [string, string][] =>
        value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
      ),
      body,
      signal,
    })
  } catch {
    return undefined
  }
}

async function readBody(incoming: IncomingMessage, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(incoming.headers['content-length'] ?? 0) > limit) throw new BodyTooLarge()
  const parts: Buffer[] = []
  let length = 0
  for await (const part of incoming as AsyncIterable<Buffer>) {
    length += part.length
    if (length > limit) throw new BodyTooLarge()
    parts.push(part)
  }
  return Buffer.concat(parts)
}

async function send(response: Response, outgoing: ServerResponse, gone: AbortSignal): Promise<void> {
  outgoing.statusCode = response.status
  for (const [name, value] of response.headers) outgoing.appendHeader(name, value)
  const reader = response.body?.getReader()
  if (!reader) return void outgoing.end()
  const cancel = () => void reader.cancel().catch(() => {})
  if (gone.aborted) return cancel()
  gone.addEventListener('abort', cancel, { once: true })
  // An event stream may have nothing to say for a long time; its reader waits for the headers.
  if (response.headers.get('content-type')?.startsWith('text/event-stream')) outgoing.flushHeaders()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    if (!outgoing.write(value)) await once(outgoing, 'drain', { signal: gone })
  }
  outgoing.end()
}

function refuse(incoming: IncomingMessage, outgoing: ServerResponse, status: 400 | 413 | 500): void {
  const error = { 400: 'bad request', 413: 'request body too large', 500: 'internal error' }[status]
  // The rest of a refused body is not worth reading.
  outgoing.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
  outgoing.end(JSON.stringify({ error }))
  incoming.resume()
}

async function bind(server: Server, host: string, port: number): Promise<number> {
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
    const message =
      code === 'EADDRINUSE'
        ? `port ${port} on ${host} is taken`
        : `cannot listen on ${host} port ${port} (${code})`
    throw Object.assign(new Error(message, { cause }), { code })
  }
  return (server.address() as AddressInfo).port
}

async function shut(server: Server): Promise<void> {
  if (!server.listening) return
  const closed = once(server, 'close')
  server.close()
  server.closeIdleConnections()
  const cut = setTimeout(() => server.closeAllConnections(), GRACE_MS)
  await closed
  clearTimeout(cut)
}

/** The address by which this machine reaches what it listens on. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}
