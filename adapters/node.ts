import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { App } from '../src/app.ts'
import { NodeArrival } from './node-arrival.ts'
import { type Listen, runProcess } from './process.ts'
import { writeRefusal } from './write-refusal.ts'

/** A request all the same, with a method that Node does not know. */
const REQUEST_LINE =
  /^(?!(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) )[\w!#$%&'*+.^`|~-]+ \/\S* HTTP\/1\.[01]\r?\n/

const listen: Listen = ({ port, hostname, fetch, refuse }) =>
  new Promise((resolve, reject) => {
    let pending = 0
    const answer = getRequestListener(
      (request, env) =>
        fetch(request, new NodeArrival(env.incoming as IncomingMessage, env.outgoing as ServerResponse)),
      { errorHandler: () => refuse('GET') },
    )
    const onRequest = (incoming: IncomingMessage, outgoing: ServerResponse) => {
      pending++
      outgoing.once('close', () => pending--)
      answer(incoming, outgoing)
    }
    // What Node would answer by itself is answered in our words too.
    const server = createServer({ requireHostHeader: false }, onRequest)
    server.on('checkExpectation', onRequest)
    server.on('connect', (_incoming, socket) => writeRefusal(socket, () => refuse('CONNECT')))
    server.on('clientError', (error: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket) => {
      if (error.code === 'ECONNRESET') socket.destroy()
      else writeRefusal(socket, () => refuse(REQUEST_LINE.test(String(error.rawPacket)) ? 'UNKNOWN' : 'GET'))
    })
    server.once('error', reject)
    server.listen(port, hostname, () =>
      resolve({
        port: (server.address() as AddressInfo).port,
        pending: () => pending,
        stop: () =>
          new Promise((done) => {
            // Connections that are kept alive, or have not said anything yet, would hold the end up.
            const idle = setInterval(
              () => (pending > 0 ? server.closeIdleConnections() : server.closeAllConnections()),
              20,
            )
            server.close(() => {
              clearInterval(idle)
              done()
            })
          }),
      }),
    )
  })

/** Serves an app on Node until SIGTERM or SIGINT. */
export const serve = (app: App): Promise<void> => runProcess(app, 'node', listen)
