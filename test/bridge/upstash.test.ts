import { createRedisServer } from 'js-redis-server'
import { afterAll } from 'vitest'
import { createTcpRedisEngine } from '../../bridge/redis/tcp-redis-engine.ts'
import { createEmbeddedRedisEngine } from '../../dev/embedded-redis-engine.ts'
import { skipped } from './skipped.ts'
import { upstashContract } from './upstash-contract.ts'

upstashContract('the embedded engine', createEmbeddedRedisEngine)

const server = await createRedisServer()
afterAll(() => server.close())
const local = `redis://127.0.0.1:${server.port}`
upstashContract('TCP to js-redis-server', () => createTcpRedisEngine({ url: local }), { shebang: false })

const url = process.env.TEST_REDIS_URL
if (url) upstashContract('TCP to a real Redis', () => createTcpRedisEngine({ url }))
else skipped('upstash over a real Redis', 'TEST_REDIS_URL is not set')
