import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A TCP hop in front of Postgres that can fall silent without closing anything, or cut everything. */
export interface Freezer {
  connectionString: string
  port: number
  freeze(): void
  thaw(): void
  cut(): void
  close(): Promise<void>
}

/** Relays to the server of `target`. */
export async function freezer(target: string): Promise<Freezer> {
  const { hostname, port } = new URL(target)
  return serve(target, (near) => {
    const far = connect(Number(port || 5432), hostname)
    near.pipe(far).pipe(near)
    return far
  })
}

/** Accepts connections and never says a word. */
export function silentServer(): Promise<Freezer> {
  return serve('postgres://127.0.0.1/', () => undefined)
}

async function serve(target: string, relay: (near: Socket) => Socket | undefined): Promise<Freezer> {
  const sockets = new Set<Socket>()
  let still = false
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
  }
  const server = createServer((near) => {
    keep(near)
    if (still) return
    const far = relay(near)
    if (far) keep(far)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const url = new URL(target)
  url.host = `127.0.0.1:${port}`
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    connectionString: url.href,
    port,
    freeze() {
      still = true
      for (const socket of sockets) socket.unpipe()
      for (const socket of sockets) socket.pause()
    },
    thaw() {
      still = false
    },
    cut,
    async close() {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}
