import { strict as assert } from 'node:assert'
import { Ratelimit } from '@upstash/ratelimit'
import { Redis } from '@upstash/redis'
import { startBridge } from '../../bridge/bridge.ts'
import { listen } from '../../bridge/listen.ts'

// Run by a test, under Bun: `bun bun-bridge.ts <redis URL> <key prefix>`. Prints `ok` and which runtime it was.
const [redisUrl = '', prefix = ''] = process.argv.slice(2)
const bridge = await startBridge({ redisUrl })
const { UPSTASH_REDIS_REST_URL: url = '', UPSTASH_REDIS_REST_TOKEN: token = '' } = bridge.env
const redis = new Redis({ url, token, retry: { retries: 0 }, enableTelemetry: false })
const key = (name: string) => `${prefix}:${name}`

assert.equal(await redis.set(key('a'), 'test'), 'OK')
assert.equal(await redis.get(key('a')), 'test')
assert.deepEqual(await redis.multi().incr(key('n')).incr(key('n')).exec(), [1, 2])
await assert.rejects(redis.incr(key('a')), /not an integer/)
const many = await Promise.all(Array.from({ length: 1500 }, () => redis.incr(key('many'))))
// The client splits them into two requests, which may overtake each other.
assert.equal(Math.max(...many), 1500)
assert.equal(new Set(many).size, 1500)

const limit = new Ratelimit({ redis, prefix: key('limit'), limiter: Ratelimit.slidingWindow(3, '60 s') })
const answers = await Promise.all(Array.from({ length: 9 }, () => limit.limit('one')))
assert.equal(answers.filter(({ success }) => success).length, 3)

const heard = Promise.withResolvers<unknown>()
const confirmed = Promise.withResolvers<unknown>()
const subscriber = redis.subscribe<unknown>(key('news'))
subscriber.on('subscribe', confirmed.resolve)
subscriber.on('message', heard.resolve)
await confirmed.promise
await redis.publish(key('news'), 'hello')
assert.deepEqual(await heard.promise, { channel: key('news'), message: 'hello' })
await subscriber.unsubscribe()
for (let tries = 0; (await redis.publish(key('news'), 'nobody')) !== 0; tries++) {
  assert.ok(tries < 100, 'a subscriber who went away is still subscribed')
  await new Promise((resolve) => setTimeout(resolve, 20))
}

const taken = Number(new URL(url).port)
await assert.rejects(listen({ routes: [], port: taken }), {
  code: 'EADDRINUSE',
  message: /^port \d+ .* is taken$/,
})
assert.equal((await fetch(url, { method: 'POST', body: 'x' })).status, 401)
const oversize = {
  method: 'POST',
  headers: { authorization: `Bearer ${token}` },
  body: 'x'.repeat(11 * 1024 * 1024),
}
assert.equal((await fetch(url, oversize)).status, 413)
assert.equal(await redis.ping(), 'PONG')

await limit.resetUsedTokens('one')
await redis.del(key('a'), key('n'), key('many'))
await bridge.close()
process.stdout.write(
  `ok ${process.versions.bun ? `bun ${process.versions.bun}` : `node ${process.versions.node}`}\n`,
)
