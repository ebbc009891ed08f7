import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createRedisServer } from 'js-redis-server'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { type RedisEngine, RedisUnavailable } from '../../bridge/redis/redis-engine.ts'
import { createTcpRedisEngine, type TcpRedisOptions } from '../../bridge/redis/tcp-redis-engine.ts'
import { freePort } from '../free-port.ts'
import { skipped } from './skipped.ts'

const OK = { type: 'status', text: 'OK' }
const hasRedis = spawnSync('redis-server', ['--version']).status === 0

function open(options: TcpRedisOptions): RedisEngine {
  const engine = createTcpRedisEngine(options)
  onTestFinished(() => engine.close())
  return engine
}

async function failure(work: Promise<unknown>): Promise<RedisUnavailable> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof RedisUnavailable)) throw new Error(`expected RedisUnavailable, got ${String(error)}`)
  return error
}

const took = async (work: Promise<unknown>): Promise<number> => {
  const start = performance.now()
  await work.catch(() => {})
  return performance.now() - start
}

/** A server whose behaviour towards each new connection the test decides. */
async function tcpServer(onConnection: (socket: Socket) => void, port = 0) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    onConnection(socket)
  }).listen(port, '127.0.0.1')
  await once(server, 'listening')
  const close = async () => {
    for (const socket of sockets) socket.destroy()
    if (!server.listening) return
    server.close()
    await once(server, 'close')
  }
  onTestFinished(close)
  return { port: (server.address() as AddressInfo).port, sockets, close }
}

describe('replies', () => {
  it('keeps bytes, statuses, integers, nulls and errors apart', async () => {
    const server = await createRedisServer()
    onTestFinished(() => server.close())
    const engine = open({ url: `redis://127.0.0.1:${server.port}/3` })
    const bytes = Uint8Array.from([0, 255, 13, 10])
    expect(await engine.command(['SET', bytes, bytes])).toEqual(OK)
    const value = await engine.command(['GET', bytes])
    expect(value.type === 'bulk' && [...value.bytes]).toEqual([...bytes])
    expect(await engine.command(['STRLEN', bytes])).toEqual({ type: 'integer', value: 4 })
    expect(await engine.command(['GET', 'none'])).toEqual({ type: 'null' })
    expect(await engine.command(['INCR', bytes])).toEqual({
      type: 'error',
      message: expect.stringMatching(/^ERR/),
    })
    const multi = await engine.transaction([
      ['SET', 'a', '1'],
      ['LPUSH', 'a', 'x'],
      ['GET', 'a'],
    ])
    expect(multi).toMatchObject({ type: 'array', items: [OK, { type: 'error' }, { type: 'bulk' }] })
    expect(await engine.transaction([['NOSUCH'], ['SET', 'b', '1']])).toMatchObject({
      type: 'error',
      message: expect.stringMatching(/^EXECABORT .*unknown command/),
    })
    expect(await engine.command(['EXISTS', 'b'])).toEqual({ type: 'integer', value: 0 })
  })

  it('runs the commands of one turn in order, also while it is still connecting', async () => {
    const server = await createRedisServer()
    onTestFinished(() => server.close())
    const engine = open({ url: `redis://127.0.0.1:${server.port}` })
    const asked = Array.from({ length: 100 }, (_, at) => engine.command(['APPEND', 'log', `${at},`]))
    asked.push(engine.transaction([['APPEND', 'log', 'end']]))
    await Promise.all(asked)
    const log = await engine.command(['GET', 'log'])
    const expected = `${Array.from({ length: 100 }, (_, at) => `${at},`).join('')}end`
    expect(log.type === 'bulk' && new TextDecoder().decode(log.bytes)).toBe(expected)
  })
})

describe('a Redis that is away', () => {
  it('fails at once and names no host', async () => {
    const port = await freePort()
    const engine = open({ url: `redis://user:secret@127.0.0.1:${port}` })
    const error = await failure(engine.command(['PING']))
    expect(error.message).toBe('Redis is unavailable (ECONNREFUSED)')
    expect(await took(engine.command(['PING']))).toBeLessThan(50)
    await failure(engine.transaction([['PING']]))
    await failure(engine.stream({ command: 'monitor' }, { onPush: () => {}, onEnd: () => {} }))
  })

  it('says so when the credentials are wrong', async () => {
    const server = await tcpServer((socket) => {
      socket.on('data', () => socket.write('-WRONGPASS invalid username-password pair\r\n'))
    })
    const engine = open({ url: `redis://user:secret@127.0.0.1:${server.port}` })
    expect((await failure(engine.command(['PING']))).message).toBe('Redis is unavailable (WRONGPASS)')
  })

  it.each(['http://127.0.0.1', 'redis', '', '127.0.0.1:6379'])('refuses the URL %j', (url) => {
    expect(() => createTcpRedisEngine({ url })).toThrow('must start with redis:// or rediss://')
  })

  it('ends what was in flight, and streams, when the server goes', async () => {
    const server = await tcpServer((socket) => {
      socket.on('data', (data) => {
        for (const word of data.toString().match(/PING|SUBSCRIBE/gi) ?? []) {
          socket.write(word === 'PING' ? '+PONG\r\n' : '*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n')
        }
      })
    })
    const engine = open({ url: `redis://127.0.0.1:${server.port}` })
    let ended = 0
    await engine.stream({ command: 'subscribe', targets: ['c'] }, { onPush: () => {}, onEnd: () => ended++ })
    const inFlight = Promise.all([
      failure(engine.command(['GET', 'a'])),
      failure(engine.transaction([['GET', 'a']])),
    ])
    setTimeout(() => server.close(), 50)
    for (const { code } of await inFlight) expect(code).toBe('unavailable')
    await expect.poll(() => ended).toBe(1)
  })

  it('takes no more than it can remember', async () => {
    const server = await tcpServer(() => {})
    const engine = open({ url: `redis://127.0.0.1:${server.port}`, connectTimeoutMs: 500 })
    const many = Array.from({ length: 100_001 }, () => ['PING'])
    expect((await failure(engine.transaction(many))).message).toMatch(/too many commands are waiting/)
  })
})

describe('a Redis that hangs', () => {
  it('costs one timeout, then nothing until it answers again', async () => {
    let silent = true
    const server = await tcpServer((socket) => {
      socket.on('data', (data) => {
        if (!silent) socket.write('+PONG\r\n'.repeat(data.toString().match(/PING/g)?.length ?? 0))
      })
    })
    const engine = open({
      url: `redis://127.0.0.1:${server.port}`,
      connectTimeoutMs: 200,
      commandTimeoutMs: 200,
    })
    const first = await failure(engine.command(['PING']))
    expect(first).toMatchObject({ code: 'timeout', message: 'Redis did not answer within 200 ms' })
    expect(await took(engine.command(['PING']))).toBeLessThan(50)
    silent = false
    await expect
      .poll(() => engine.command(['PING']).catch(() => undefined), { timeout: 3000 })
      .toMatchObject({ text: 'PONG' })

    silent = true
    const both = await Promise.all([
      failure(engine.command(['PING'])),
      failure(engine.transaction([['PING']])),
    ])
    expect(both[0].code).toBe('timeout')
    expect(await took(engine.command(['PING']))).toBeLessThan(50)
    silent = false
    await expect
      .poll(() => engine.command(['PING']).catch(() => undefined), { timeout: 3000 })
      .toMatchObject({ text: 'PONG' })
    // Connections given up are closed, not collected.
    await expect.poll(() => [...server.sockets].filter((socket) => !socket.destroyed).length).toBe(1)
  })
})

describe.runIf(hasRedis)('a real redis-server', () => {
  let running: ChildProcess | undefined
  afterEach(() => void running?.kill('SIGKILL'))

  async function start(port: number) {
    const child = spawn('redis-server', ['--port', String(port), '--save', '', '--bind', '127.0.0.1'])
    running = child
    for await (const line of child.stdout) if (String(line).includes('Ready to accept connections')) break
    child.stdout.resume()
    return child
  }

  it('is killed and comes back: errors at once, recovery within 3 s, the process alive', async () => {
    const port = await freePort()
    const first = await start(port)
    const engine = open({ url: `redis://127.0.0.1:${port}`, commandTimeoutMs: 1000 })
    expect(await engine.command(['SET', 'a', '1'])).toEqual(OK)
    first.kill('SIGKILL')
    await once(first, 'exit')
    await expect.poll(() => failure(engine.command(['PING']))).toMatchObject({ code: 'unavailable' })
    for (let at = 0; at < 20; at++) {
      expect(await took(engine.command(['PING']))).toBeLessThan(50)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    await start(port)
    const back = performance.now()
    await expect
      .poll(() => engine.command(['GET', 'a']).catch(() => undefined), { timeout: 3000 })
      .toEqual({ type: 'null' })
    expect(performance.now() - back).toBeLessThan(3000)
  }, 20_000)

  it('never runs half a transaction when connections are cut under load', async () => {
    const port = await freePort()
    await start(port)
    const url = `redis://127.0.0.1:${port}`
    const engine = open({ url })
    const killer = open({ url })
    const filler = 'x'.repeat(20_000)
    let lost = 0
    for (let round = 0; round < 20; round++) {
      const work = Array.from({ length: 50 }, () =>
        engine
          .transaction([
            ['INCR', 'a'],
            ['SET', 'f', filler],
            ['INCR', 'b'],
          ])
          .catch(() => lost++),
      )
      await killer.command(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'])
      await Promise.all(work)
      await expect.poll(() => engine.command(['PING']).catch(() => undefined)).toBeTruthy()
    }
    expect(lost).toBeGreaterThan(0)
    expect(await engine.command(['GET', 'a'])).toEqual(await engine.command(['GET', 'b']))
  }, 20_000)

  it('is stopped and goes on: one timeout, then errors at once, recovery within 3 s', async () => {
    const port = await freePort()
    const server = await start(port)
    const engine = open({ url: `redis://127.0.0.1:${port}`, connectTimeoutMs: 500, commandTimeoutMs: 500 })
    await engine.command(['SET', 'a', '1'])
    server.kill('SIGSTOP')
    expect(await failure(engine.command(['GET', 'a']))).toMatchObject({ code: 'timeout' })
    expect(await took(engine.command(['GET', 'a']))).toBeLessThan(50)
    server.kill('SIGCONT')
    await expect
      .poll(() => engine.command(['GET', 'a']).catch(() => undefined), { timeout: 3000 })
      .toMatchObject({ type: 'bulk' })
  }, 20_000)
})

if (!hasRedis) skipped('a real redis-server', 'there is none on this machine')
