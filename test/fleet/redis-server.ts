import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { freePort } from '../free-port.ts'

/** Database 11 of the Redis that tests may use, unless its address names another one. */
export const testRedisUrl: string | undefined = (() => {
  const given = process.env.TEST_REDIS_URL
  if (!given) return undefined
  const url = new URL(given)
  if (url.pathname.length < 2) url.pathname = '/11'
  return url.href
})()

/** Why a test cannot start a Redis of its own, or nothing where it can. */
export const noRedisServer: string | undefined = !testRedisUrl
  ? 'TEST_REDIS_URL is not set'
  : spawnSync('redis-server', ['--version']).status !== 0
    ? 'there is no redis-server on this machine'
    : undefined

/** A Redis that a test may kill, freeze and start again, always on the same port. */
export interface RedisServer {
  readonly url: string
  readonly port: number
  signal(name: 'SIGSTOP' | 'SIGCONT'): void
  kill(): Promise<void>
  start(): Promise<void>
}

export const startRedisServer = async (): Promise<RedisServer> => {
  const port = await freePort()
  let running: ChildProcess | undefined

  const start = async (): Promise<void> => {
    const child = spawn('redis-server', ['--port', String(port), '--save', '', '--bind', '127.0.0.1'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    running = child
    for await (const line of child.stdout) if (String(line).includes('Ready to accept connections')) break
    child.stdout.resume()
  }
  const kill = async (): Promise<void> => {
    if (!running || running.exitCode !== null || running.signalCode !== null) return
    running.kill('SIGKILL')
    await once(running, 'exit')
  }

  await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    signal: (name) => void running?.kill(name),
    kill,
    start,
  }
}
