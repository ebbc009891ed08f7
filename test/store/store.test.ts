import { createTcpRedisEngine } from '../../bridge/redis/tcp-redis-engine.ts'
import { createEmbeddedRedisEngine } from '../../dev/embedded-redis-engine.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import { createPipeline } from '../../src/store/redis-pipeline.ts'
import { createRedisStore } from '../../src/store/redis-store.ts'
import { openTarget, TOKEN } from '../bridge/redis-target.ts'
import { skipped } from '../bridge/skipped.ts'
import { type StoreTarget, storeContract } from './store-contract.ts'

storeContract('in this process', async () => {
  let now = 1_800_000_000_000
  return {
    store: createMemoryStore(),
    now: () => now,
    async pass(milliseconds) {
      now += milliseconds
    },
    close: async () => {},
  }
})

type Engine = Parameters<typeof openTarget>[0]

const overRest = async (engine: Engine): Promise<StoreTarget> => {
  const target = await openTarget(engine)
  return {
    store: createRedisStore({ send: createPipeline({ url: target.url, token: TOKEN }), timeoutMs: 10_000 }),
    now: Date.now,
    pass: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    close: () => target.close(),
  }
}

storeContract('the embedded Redis over REST', () => overRest(createEmbeddedRedisEngine()))

const url = process.env.TEST_REDIS_URL
if (url) storeContract('a real Redis over REST', () => overRest(createTcpRedisEngine({ url })))
else skipped('the store contract: a real Redis over REST', 'TEST_REDIS_URL is not set')
