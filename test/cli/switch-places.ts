import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type Listener, listen } from '../../bridge/listen.ts'
import { createEmbeddedRedisEngine } from '../../dev/embedded-redis-engine.ts'
import { createApp } from '../../src/parapet.ts'
import { openTarget, TOKEN } from '../bridge/redis-target.ts'

export const OPERATOR_TOKEN = 'op_9fK2mQ7xW4vB8nT1sL6yR3uJ5hG0pD'

/** A place where switches are flipped, as the command line is told of it. */
export interface Place {
  env: Record<string, string>
  /** Options that name it. */
  options: readonly string[]
  /** What is stored there, as text. */
  stored(): Promise<string>
  close(): Promise<void>
}

/** A Redis, spoken to as Upstash is. */
export const redisPlace = async (): Promise<Place & { put(text: string): Promise<unknown> }> => {
  const target = await openTarget(createEmbeddedRedisEngine())
  return {
    env: { UPSTASH_REDIS_REST_URL: target.url, UPSTASH_REDIS_REST_TOKEN: TOKEN },
    options: [],
    stored: async () => JSON.stringify((await target.send('/get/parapet:switches')).json),
    put: (text) => target.send('/', { body: ['SET', 'parapet:switches', text] }),
    close: target.close,
  }
}

/** A running instance without a Redis. */
export const instancePlace = async (env: Record<string, string> = {}): Promise<Place> => {
  const app = createApp()
  app.boot(
    { NODE_ENV: 'production', INTERNAL_API_KEY: OPERATOR_TOKEN, ...env },
    { runtime: 'node', write: () => {} },
  )
  const listener: Listener = await listen({
    routes: [['/', (request) => app.fetch(addressed(request), { waitUntil: () => {} })]],
  })
  const ask = async (path: string) => {
    const headers = { authorization: `Bearer ${OPERATOR_TOKEN}` }
    return (await fetch(`${listener.url}${path}`, { headers })).text()
  }
  return {
    env: { INTERNAL_API_KEY: OPERATOR_TOKEN },
    options: ['--url', listener.url],
    stored: async () => (await ask('/api/admin/maintenance')) + (await ask('/api/admin/blocks')),
    close: listener.close,
  }
}

/** The listener of the bridge leaves the host out of the address. */
const addressed = (request: Request): Request => {
  const { pathname, search } = new URL(request.url)
  return new Request(`http://${request.headers.get('host')}${pathname}${search}`, request)
}

/** A port where somebody listens and never says anything. */
export const silentPort = async () => {
  const server = createServer(() => {}).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() }
}
