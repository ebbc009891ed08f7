import { createHash } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { gzipSync } from 'node:zlib'

/** What reached the origin. */
export interface Arrived {
  method: string
  url: string
  headers: IncomingMessage['headers']
  rawHeaders: string[]
}

export interface FakeOrigin {
  readonly url: string
  /** Every request so far, upgrades included. */
  readonly arrived: Arrived[]
  /** `chunk` with each piece of a body, `gone` when a caller went away, `held` with an answer that waits. */
  readonly events: EventEmitter
  close(): Promise<void>
}

type Answer = (request: IncomingMessage, response: ServerResponse, events: EventEmitter) => void

/** Behaviours by the last part of the path. Everything else echoes what arrived. */
const ANSWERS: Record<string, Answer> = {
  created: (_, response) => void response.writeHead(201, { Location: '/things/1' }).end('{"id":1}'),
  cookies: (_, response) =>
    void response.writeHead(200, { 'Set-Cookie': ['a=1; Path=/', 'b=2; Path=/'] }).end('ok'),
  moved: (_, response) => void response.writeHead(302, { Location: 'https://elsewhere.example/' }).end(),
  empty: (_, response) => void response.writeHead(204).end(),
  'not-modified': (_, response) => void response.writeHead(304, { ETag: '"1"' }).end(),
  teapot: (_, response) =>
    void response.writeHead(418, { 'Content-Type': 'text/plain' }).end('short and stout'),
  failing: (_, response) =>
    void response.writeHead(500, { 'Content-Type': 'text/plain' }).end('its own words'),
  page: (_, response) => void response.writeHead(200, { 'Content-Type': 'text/html' }).end('<h1>Origin</h1>'),
  zipped: (_, response) =>
    void response
      .writeHead(200, { 'Content-Encoding': 'gzip', 'Content-Type': 'text/csv' })
      .end(gzipSync('unzipped'.repeat(100))),
  'hop-by-hop': (_, response) => {
    const named = { Connection: 'close, X-Internal-Hop', 'X-Internal-Hop': 'one', 'Keep-Alive': 'timeout=71' }
    response.writeHead(200, { ...named, 'Proxy-Authenticate': 'Basic', 'X-End-To-End': 'two' }).end('ok')
  },
  'own-security': (_, response) => {
    const undone = {
      'X-Content-Type-Options': 'x',
      'X-XSS-Protection': '1; mode=block',
      'X-Correlation-Id': 'x',
    }
    response.writeHead(200, { ...undone, 'Strict-Transport-Security': 'max-age=0' }).end('ok')
  },
  'own-cors': (_, response) =>
    void response.writeHead(200, { 'Access-Control-Allow-Origin': '*', Vary: 'Cookie' }).end('ok'),
  hints: (_, response) => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' })
    response.end('after hints')
  },
  'huge-headers': (_, response) => void response.writeHead(200, { 'X-Huge': 'x'.repeat(100_000) }).end('ok'),
  'odd-status': (request) => void request.socket.end('HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nok'),
  'low-status': (request) => void request.socket.end('HTTP/1.1 042 Low\r\nContent-Length: 2\r\n\r\nok'),
  'bad-length': (request) =>
    void request.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!'),
  hang: (_, response, events) => void events.emit('held', response),
  'hang-after-headers': (_, response, events) => {
    response.writeHead(200, { 'Content-Type': 'text/csv' }).write('first,')
    events.emit('held', response)
  },
  reset: (request) => void request.socket.resetAndDestroy(),
  'half-json': (_, response, events) => {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '1000' })
    response.write('{"first":')
    events.emit('held', response)
  },
  garbage: (request) => void request.socket.end('this is no HTTP\r\n\r\n'),
  upload: async (request, response, events) => {
    let bytes = 0
    try {
      for await (const chunk of request) {
        bytes += (chunk as Buffer).length
        events.emit('chunk', (chunk as Buffer).toString())
      }
    } catch {
      // The sender was cut off, as one test wants it.
    }
    response.end(JSON.stringify({ bytes }))
  },
}

/** A small server of the kind that Parapet stands in front of. */
export const startFakeOrigin = async (): Promise<FakeOrigin> => {
  const arrived: Arrived[] = []
  const events = new EventEmitter()
  const note = ({ method = '', url = '', headers, rawHeaders }: IncomingMessage) => {
    const seen = { method, url, headers, rawHeaders }
    arrived.push(seen)
    return seen
  }
  const server = createServer((request, response) => {
    const seen = note(request)
    request.on('error', () => {})
    response.once('close', () => {
      if (!response.writableEnded) events.emit('gone', seen)
    })
    const answer = ANSWERS[seen.url.split('?')[0]?.split('/').at(-1) ?? '']
    if (answer) return answer(request, response, events)
    let body = ''
    request.setEncoding('latin1').on('data', (text: string) => (body += text))
    request.on('end', () => {
      response.writeHead(200, { 'Content-Type': 'application/json' })
      response.end(JSON.stringify({ ...seen, body }))
    })
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    note(request)
    echoOneMessage(request, socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrived,
    events,
    async close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** As much of RFC 6455 as one short message needs: the handshake, then the message back, unmasked. */
const echoOneMessage = (request: IncomingMessage, socket: Duplex): void => {
  const accept = createHash('sha1')
    .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64')
  const head = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
  socket.write(`${[...head, `Sec-WebSocket-Accept: ${accept}`].join('\r\n')}\r\n\r\n`)
  socket.on('error', () => {})
  socket.once('data', (frame: Buffer) => {
    const length = (frame[1] as number) & 0x7f
    const mask = frame.subarray(2, 6)
    const message = frame.subarray(6, 6 + length).map((byte, at) => byte ^ (mask[at % 4] as number))
    socket.write(Buffer.concat([Buffer.from([0x81, length]), message]))
    // The next frame is the one that closes.
    socket.once('data', () => socket.end(Buffer.from([0x88, 0x00])))
  })
}

/** What reached the origin while `work` went on. */
export const arrivedDuring = async (origin: FakeOrigin, work: () => Promise<unknown>): Promise<Arrived[]> => {
  const before = origin.arrived.length
  await work()
  return origin.arrived.slice(before)
}

/** The one request that reached the origin while `work` went on. */
export const oneArrived = async (origin: FakeOrigin, work: () => Promise<unknown>): Promise<Arrived> => {
  const arrived = await arrivedDuring(origin, work)
  if (arrived.length !== 1) throw new Error(`${arrived.length} requests reached the origin, not one`)
  return arrived[0] as Arrived
}
