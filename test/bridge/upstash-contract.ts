import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RedisEngine } from '../../bridge/redis/redis-engine.ts'
import { ratelimitContract } from './ratelimit-contract.ts'
import { openTarget, type RedisTarget } from './redis-target.ts'
import { upstashWireContract } from './upstash-wire-contract.ts'

/**
 * What must hold for Upstash's REST over any engine, seen through the real clients and as raw HTTP. `shebang` says
 * whether the server behind a TCP engine knows script flags of its own.
 */
export function upstashContract(
  name: string,
  createEngine: () => RedisEngine,
  { shebang = true } = {},
): void {
  describe(`upstash over ${name}`, () => {
    let target: RedisTarget
    beforeAll(async () => {
      target = await openTarget(createEngine())
    })
    afterAll(() => target.close())

    clientContract(() => target)
    scriptContract(() => target, shebang)
    upstashWireContract(() => target)
    ratelimitContract(() => target)
  })
}

function clientContract(target: () => RedisTarget): void {
  describe('@upstash/redis', () => {
    it.each([
      ['test', 'test'],
      ['OK', 'OK'],
      ['QUEUED', 'QUEUED'],
      ['é漢字🎈', 'é漢字🎈'],
      ['', ''],
      ['007', '007'],
      ['12345678901234567890', '12345678901234567890'],
      ['line\r\nbreak', 'line\r\nbreak'],
      [{ a: [1, null, 'x'] }, { a: [1, null, 'x'] }],
      [7, 7],
      [true, true],
    ])('gives back %j', async (value, expected) => {
      const { redis, key } = target()
      expect(await redis.set(key('value'), value)).toBe('OK')
      expect(await redis.get(key('value'))).toEqual(expected)
    })

    it('keeps a stored OK apart from the status OK', async () => {
      const { redis, key } = target()
      await redis.rpush(key('oks'), 'OK', 'test', 'OK')
      expect(await redis.lrange(key('oks'), 0, -1)).toEqual(['OK', 'test', 'OK'])
      expect(await redis.type(key('oks'))).toBe('list')
      expect(await redis.ping()).toBe('PONG')
    })

    it('auto-pipelines one tick into one request, in order', async () => {
      const { redis, key } = target()
      const replies = await Promise.all(Array.from({ length: 1000 }, () => redis.incr(key('counter'))))
      expect(replies).toEqual(Array.from({ length: 1000 }, (_, at) => at + 1))
    })

    it('loses nothing of what the client splits into several requests', async () => {
      const { redis, key } = target()
      const replies = await Promise.all(Array.from({ length: 5000 }, () => redis.incr(key('many'))))
      expect(new Set(replies).size).toBe(5000)
      expect(await redis.get(key('many'))).toBe(5000)
    })

    it('fails only the failing call of an auto-pipeline', async () => {
      const { redis, key } = target()
      await redis.set(key('text'), 'abc')
      const [first, second, third] = await Promise.allSettled([
        redis.set(key('x'), 1),
        redis.incr(key('text')),
        redis.set(key('y'), 2),
      ])
      expect([first?.status, second?.status, third?.status]).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      expect(String(second?.status === 'rejected' && second.reason)).toMatch(/ERR value is not an integer/)
    })

    it('keeps errors of an explicit pipeline in their place', async () => {
      const { redis, key } = target()
      const run = () => redis.pipeline().set(key('a'), 1).lpush(key('a'), 'x').get(key('a'))
      const kept = await run().exec({ keepErrors: true })
      expect(kept[0]).toMatchObject({ result: 'OK' })
      expect(kept[1]?.error).toMatch(/^WRONGTYPE/)
      expect(kept[2]).toMatchObject({ result: 1 })
      await expect(run().exec()).rejects.toThrow(/Command 2 \[ lpush \] failed: WRONGTYPE/)
    })

    it('runs a transaction, runtime errors inside', async () => {
      const { redis, key } = target()
      const replies = await redis
        .multi()
        .set(key('t'), 'v')
        .lpush(key('t'), 'x')
        .incr(key('n'))
        .hset(key('h'), { a: 1 })
        .exec({ keepErrors: true })
      expect(replies.map(({ result }) => result)).toEqual(['OK', undefined, 1, 1])
      expect(replies[1]?.error).toMatch(/^WRONGTYPE/)
    })

    it('keeps concurrent transactions whole', async () => {
      const { redis, key } = target()
      const add = () => redis.multi().incr(key('pair')).incr(key('pair')).exec<[number, number]>()
      const pairs = await Promise.all(Array.from({ length: 50 }, add))
      for (const [one, two] of pairs) expect(two).toBe(one + 1)
    })

    it('has the shapes of RESP2: hashes, scores, nothing, nested arrays', async () => {
      const { redis, key } = target()
      await redis.hset(key('hash'), { name: 'test', count: 3, empty: '' })
      expect(await redis.hgetall(key('hash'))).toEqual({ name: 'test', count: 3, empty: '' })
      expect(await redis.hgetall(key('none'))).toBeNull()
      expect(await redis.get(key('none'))).toBeNull()
      expect(await redis.mget(key('none'), key('none'))).toEqual([null, null])
      await redis.zadd(key('z'), { score: 1.5, member: 'a' }, { score: 2, member: 'b' })
      expect(await redis.zrange(key('z'), 0, -1, { withScores: true })).toEqual(['a', 1.5, 'b', 2])
      expect(await redis.zscore(key('z'), 'a')).toBe(1.5)
      await redis.xadd(key('stream'), '1-1', { field: 'test' })
      expect(await redis.xrange(key('stream'), '-', '+')).toEqual({ '1-1': { field: 'test' } })
      const nested = await redis.eval('return {1, "test", {2, "OK", {3, false}}}', [], [])
      expect(nested).toEqual([1, 'test', [2, 'OK', [3, null]]])
    })

    it('works without base64 too', async () => {
      const { client, key } = target()
      const plain = client({ responseEncoding: false })
      await plain.set(key('plain'), 'téxt')
      expect(await plain.get(key('plain'))).toBe('téxt')
    })

    it('tells messages of channels and patterns to subscribers', async () => {
      const { redis, key } = target()
      const channel = key('news')
      const heard: unknown[] = []
      const one = redis.subscribe<unknown>(channel)
      const many = redis.psubscribe<unknown>([`${channel}*`])
      const confirmed = Promise.all(
        [one, many].map((subscriber) => {
          return new Promise((resolve) =>
            subscriber.on(subscriber === one ? 'subscribe' : 'psubscribe', resolve),
          )
        }),
      )
      one.on('message', (event) => heard.push(event))
      many.on('pmessage', (event) => heard.push(event))
      await confirmed
      expect(await redis.publish(channel, { hello: 'a,b,c' })).toBe(2)
      await expect.poll(() => heard).toHaveLength(2)
      expect(heard).toContainEqual({ channel, message: { hello: 'a,b,c' } })
      expect(heard).toContainEqual({ pattern: `${channel}*`, channel, message: { hello: 'a,b,c' } })
      await one.unsubscribe()
      await many.unsubscribe()
      await expect.poll(() => redis.publish(channel, 'nobody')).toBe(0)
    })
  })
}

function scriptContract(target: () => RedisTarget, shebang: boolean): void {
  const TRAP = '#!lua flags=allow-key-locking\nreturn {KEYS[1], ARGV[1], redis.call("INCR", KEYS[1])}'

  describe('scripts', () => {
    it('loads a script under the hash of its own text and runs it by that', async () => {
      const { redis, key } = target()
      const script = `${TRAP} -- ${key('loaded')}`
      const own = await sha1(script)
      expect(await redis.scriptExists(own)).toEqual([0])
      await expect(redis.evalsha(own, [key('s')], ['x'])).rejects.toThrow(/NOSCRIPT/)
      expect(await redis.scriptLoad(script)).toBe(own)
      expect(await redis.scriptExists(own, 'f'.repeat(40))).toEqual([1, 0])
      expect(await redis.evalsha(own.toUpperCase(), [key('s')], ['x'])).toEqual([key('s'), 'x', 1])
    })

    it('learns a script from EVAL, in a pipeline and in a transaction as well', async () => {
      const { redis, key } = target()
      const script = `${TRAP} -- ${key('learnt')}`
      const own = await sha1(script)
      expect(await redis.eval(script, [key('e')], ['x'])).toEqual([key('e'), 'x', 1])
      expect(await redis.evalsha(own, [key('e')], ['x'])).toEqual([key('e'), 'x', 2])
      const piped = await redis
        .pipeline()
        .evalsha(own, [key('e')], ['x'])
        .scriptLoad(script)
        .exec()
      expect(piped).toEqual([[key('e'), 'x', 3], own])
      const multi = await redis
        .multi()
        .scriptLoad(script)
        .evalsha(own, [key('e')], ['x'])
        .exec()
      expect(multi).toEqual([own, [key('e'), 'x', 4]])
    })

    it('runs read-only scripts', async () => {
      const { redis, key } = target()
      const script = `#!lua flags=allow-key-locking\nreturn redis.call("GET", KEYS[1]) -- ${key('ro')}`
      expect(await redis.evalRo(script, [key('absent')], [])).toBeNull()
      expect(await redis.evalshaRo(await sha1(script), [key('absent')], [])).toBeNull()
    })

    it('keeps line numbers in errors', async () => {
      const { redis } = target()
      const broken = '#!lua flags=allow-key-locking\nlocal a = 1\nerror("here")'
      await expect(redis.eval(broken, [], [])).rejects.toThrow(/user_script:3:/)
    })

    it('leaves other scripts alone', async () => {
      const { redis } = target()
      expect(await redis.eval('return ARGV[1]', [], ['#!lua flags=allow-key-locking'])).toBe(
        '#!lua flags=allow-key-locking',
      )
    })

    it.runIf(shebang)('knows a shebang without flags', async () => {
      const { redis } = target()
      expect(await redis.eval('#!lua\nreturn 5', [], [])).toBe(5)
    })
  })
}

async function sha1(text: string): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-1', new TextEncoder().encode(text))).toString('hex')
}
