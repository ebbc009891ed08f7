import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Bytes for the wire: `latin1`, so that each character of a string is one byte. */
type Bytes = string | Uint8Array
const bytes = (text: Bytes) => (typeof text === 'string' ? Buffer.from(text, 'latin1') : text)

export interface RawRequest {
  method?: string
  target?: string
  /** In their order and as often as they stand here. `Host` and `Connection: close` are added unless given. */
  headers?: readonly (readonly [name: string, value: string])[]
  body?: Bytes
}

export interface RawAnswer {
  /** 0 where the connection was closed without an answer. */
  status: number
  headers: [name: string, value: string][]
  header(name: string): string | undefined
  body: string
  /** Whether the answer came to its own end, by its length or its last chunk. */
  complete: boolean
}

/** A connection by hand, for what `fetch` normalises or refuses to send. */
export interface RawConnection {
  write(data: Bytes): void
  /** Waits until what came holds this text. */
  seen(text: string): Promise<void>
  /** Waits for a whole answer, or for the other side to close. */
  answer(method?: string): Promise<RawAnswer>
  /** Waits for the other side to close. */
  closed(): Promise<void>
  /** All that came so far. */
  text(): string
  destroy(): void
}

export const rawRequest = (
  port: number,
  { method = 'GET', target = '/', headers = [], body }: RawRequest,
): string => {
  const given = new Set(headers.map(([name]) => name.toLowerCase()))
  const lines = [
    ...(given.has('host') ? [] : [['Host', `127.0.0.1:${port}`] as const]),
    ...headers,
    ...(given.has('connection') ? [] : [['Connection', 'close'] as const]),
    ...(body !== undefined && !given.has('content-length') && !given.has('transfer-encoding')
      ? [['Content-Length', String(bytes(body).length)] as const]
      : []),
  ]
  return `${method} ${target} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
}

export const openRaw = async (port: number): Promise<RawConnection> => {
  const socket: Socket = connect(port, '127.0.0.1')
  socket.setNoDelay(true)
  let received = Buffer.alloc(0)
  let closed = false
  let wake = () => {}
  const changed = () => new Promise<void>((resolve) => (wake = resolve))
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk])
    wake()
  })
  for (const event of ['close', 'error', 'end'] as const) {
    socket.on(event, () => {
      closed = true
      wake()
    })
  }
  await once(socket, 'connect')
  return {
    write: (data) => void socket.write(bytes(data)),
    async seen(text) {
      while (!received.includes(text, 0, 'latin1') && !closed) await changed()
    },
    async answer(method) {
      let answer = parseAnswer(received, method)
      while (!answer.complete && !closed) {
        await changed()
        answer = parseAnswer(received, method)
      }
      socket.destroy()
      return answer
    },
    async closed() {
      while (!closed) await changed()
    },
    text: () => received.toString('latin1'),
    destroy: () => void socket.destroy(),
  }
}

/** Sends one request exactly as given. */
export const sendRaw = async (port: number, request: RawRequest): Promise<RawAnswer> => {
  const connection = await openRaw(port)
  connection.write(rawRequest(port, request))
  if (request.body !== undefined) connection.write(request.body)
  return connection.answer(request.method)
}

const parseAnswer = (received: Buffer, method?: string): RawAnswer => {
  const text = received.toString('latin1')
  const end = text.indexOf('\r\n\r\n')
  const [line = '', ...rest] = (end === -1 ? '' : text.slice(0, end)).split('\r\n')
  const status = Number(line.match(/^HTTP\/1\.[01] (\d{3})/)?.[1] ?? 0)
  // An interim answer is not the answer.
  if (status === 100) return parseAnswer(received.subarray(end + 4), method)
  const headers = rest.map((header): [string, string] => {
    const colon = header.indexOf(':')
    return [header.slice(0, colon).toLowerCase(), header.slice(colon + 1).trim()]
  })
  const header = (name: string) => {
    const values = headers.filter(([own]) => own === name.toLowerCase()).map(([, value]) => value)
    return values.length > 0 ? values.join(', ') : undefined
  }
  const raw = received.subarray(end + 4)
  const length = header('content-length')
  const bodiless = method === 'HEAD' || status === 204 || status === 304
  const chunked = header('transfer-encoding') === 'chunked' ? dechunk(raw) : undefined
  const body = chunked?.body ?? raw
  return {
    status,
    headers,
    header,
    body: body.toString('utf8'),
    complete:
      status !== 0 &&
      (bodiless || (chunked ? chunked.complete : length !== undefined && raw.length >= Number(length))),
  }
}

const dechunk = (raw: Buffer): { body: Buffer; complete: boolean } => {
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const end = raw.indexOf('\r\n', at)
    const size = end === -1 ? Number.NaN : Number.parseInt(raw.toString('latin1', at, end), 16)
    if (Number.isNaN(size)) return { body: Buffer.concat(parts), complete: false }
    if (size === 0) return { body: Buffer.concat(parts), complete: true }
    parts.push(raw.subarray(end + 2, end + 2 + size))
    at = end + 4 + size
    if (at > raw.length) return { body: Buffer.concat(parts), complete: false }
  }
}
