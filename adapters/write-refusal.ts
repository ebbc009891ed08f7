import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'

/** Writes an answer on a connection for which Node makes no response object. */
export const writeRefusal = async (socket: Duplex, refuse: () => Promise<Response>): Promise<void> => {
  if (!socket.writable) return void socket.destroy()
  const response = await refuse()
  const body = await response.text()
  const headers = [...response.headers, ['content-length', Buffer.byteLength(body)], ['connection', 'close']]
  const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  socket.end(`HTTP/1.1 ${response.status} ${STATUS_CODES[response.status]}\r\n${head}\r\n${body}`)
}
