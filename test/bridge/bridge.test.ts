import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { neon, neonConfig } from '@neondatabase/serverless'
import { Redis } from '@upstash/redis'
import { createRedisServer } from 'js-redis-server'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { type BridgeOptions, startBridge } from '../../bridge/bridge.ts'
import { freePort } from '../free-port.ts'
import { skipped } from './skipped.ts'

const server = await createRedisServer()
afterAll(() => server.close())
const redisUrl = `redis://127.0.0.1:${server.port}`

async function open(options: BridgeOptions) {
  const bridge = await startBridge(options)
  onTestFinished(() => bridge.close())
  return bridge
}

const client = (env: Record<string, string>) =>
  new Redis({
    url: env.UPSTASH_REDIS_REST_URL ?? '',
    token: env.UPSTASH_REDIS_REST_TOKEN ?? '',
    retry: { retries: 0 },
  })

describe('startBridge', () => {
  it('gives an app what it needs to reach Redis', async () => {
    const { env, url } = await open({ redisUrl })
    expect(env).toEqual({
      UPSTASH_REDIS_REST_URL: url,
      UPSTASH_REDIS_REST_TOKEN: expect.stringMatching(/^[\w-]{43}$/),
    })
    expect(await client(env).set('a', 1)).toBe('OK')
    const other = await open({ redisUrl })
    expect(other.env.UPSTASH_REDIS_REST_TOKEN).not.toBe(env.UPSTASH_REDIS_REST_TOKEN)
    expect((await open({ redisUrl, token: 'mine' })).env.UPSTASH_REDIS_REST_TOKEN).toBe('mine')
  })

  it('serves one service while the other is away', async () => {
    const databaseUrl = `postgres://app:secret@127.0.0.1:${await freePort()}/app`
    const { env, url } = await open({ databaseUrl, redisUrl })
    expect(env).toMatchObject({ DATABASE_URL: databaseUrl, NEON_FETCH_ENDPOINT: `${url}/sql` })
    neonConfig.fetchEndpoint = env.NEON_FETCH_ENDPOINT ?? ''
    await expect(neon(databaseUrl)`select 1`).rejects.toMatchObject({ code: '08001' })
    expect(await client(env).ping()).toBe('PONG')
  })

  it('says clearly that Redis is away', async () => {
    const { env } = await open({ redisUrl: `redis://127.0.0.1:${await freePort()}` })
    await expect(client(env).ping()).rejects.toThrow('ERR Redis is unavailable (ECONNREFUSED)')
  })

  it('needs something to bridge, in the right form, on a free port, and leaves nothing behind otherwise', async () => {
    await expect(startBridge({})).rejects.toThrow('a bridge needs a database URL, a Redis URL or both')
    await expect(startBridge({ redisUrl: 'http://x' })).rejects.toThrow('must start with redis://')
    await expect(startBridge({ databaseUrl: 'x' })).rejects.toThrow('not a URL')
    const { url } = await open({ redisUrl })
    const port = Number(new URL(url).port)
    await expect(startBridge({ redisUrl, port })).rejects.toThrow(`port ${port} on 127.0.0.1 is taken`)
  })

  it('runs on Bun and on Node', async () => {
    const script = fileURLToPath(new URL('./bun-bridge.ts', import.meta.url))
    const bun = fileURLToPath(new URL('../../node_modules/.bin/bun', import.meta.url))
    for (const [name, runtime] of Object.entries({ bun, node: process.execPath })) {
      const args = [script, process.env.TEST_REDIS_URL ?? redisUrl, `parapet-test:${randomUUID()}`]
      const { stdout } = await promisify(execFile)(runtime, args, { timeout: 20_000 })
      expect(stdout).toMatch(new RegExp(`^ok ${name} `))
    }
  }, 45_000)
})

const databaseUrl = process.env.TEST_DATABASE_URL
if (databaseUrl) {
  it('startBridge reaches a real PostgreSQL with the unchanged DATABASE_URL', async () => {
    const { env } = await open({ databaseUrl })
    neonConfig.fetchEndpoint = env.NEON_FETCH_ENDPOINT ?? ''
    expect(await neon(env.DATABASE_URL ?? '')`select 1 as one`).toEqual([{ one: 1 }])
    const wrong = new URL(databaseUrl)
    wrong.password = 'wrong'
    await expect(neon(wrong.href)`select 1`).rejects.toThrow()
  })
} else skipped('startBridge with a real PostgreSQL', 'TEST_DATABASE_URL is not set')
