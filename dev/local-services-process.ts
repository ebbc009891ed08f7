import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { Worker } from 'node:worker_threads'
import { listen } from '../bridge/listen.ts'
import { createUpstashHandler } from '../bridge/redis/upstash.ts'
import { routes } from '../bridge/routes.ts'
import { acceptsOnly } from '../bridge/sql/accepts-only.ts'
import { createNeonHandler } from '../bridge/sql/neon.ts'
import { claimDataDirectory } from './data-directory.ts'
import { LocalServicesError } from './local-services-error.ts'
import { shownPath } from './shown-path.ts'

/** What this process tells its parent: first where the services will be, then that they are there, or why not. */
export type LocalServicesReport =
  | { readonly env: Record<string, string> }
  | { readonly ready: true }
  | { readonly error: string }

// The process behind startLocalServices. Its only argument is the data directory; without it, all is in memory.
const [, , directory] = process.argv

process.once('disconnect', () => process.exit())
new Worker(new URL('end-orphan.ts', import.meta.url)).unref()

try {
  await serve()
} catch (error) {
  const known = error instanceof LocalServicesError
  const message = error instanceof Error ? error.message : String(error)
  await report({ error: known ? message : `the local services cannot start: ${message}` })
  process.exit(1)
}

async function serve(): Promise<void> {
  const claim = directory === undefined ? undefined : claimDataDirectory(directory, process.ppid)
  // The port is known seconds before anybody may use it: the parent starts what needs it in the meantime.
  const reserved = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
  await once(reserved, 'listening')
  const { port } = reserved.address() as AddressInfo
  const token = randomBytes(32).toString('base64url')
  // No host of that name can exist: without NEON_FETCH_ENDPOINT nothing is reached, rather than something else.
  const databaseUrl = `postgresql://postgres:${randomBytes(32).toString('base64url')}@pglite.invalid/postgres`
  await report({
    env: {
      DATABASE_URL: databaseUrl,
      NEON_FETCH_ENDPOINT: `http://127.0.0.1:${port}/sql`,
      UPSTASH_REDIS_REST_URL: `http://127.0.0.1:${port}`,
      UPSTASH_REDIS_REST_TOKEN: token,
    },
  })

  // Loaded only now: these take as long as everything above.
  const { createEmbeddedRedisEngine } = await import('./embedded-redis-engine.ts')
  const { withFaults } = await import('./faults.ts')
  const sql = await migratedEngine()
  const redis = createEmbeddedRedisEngine()
  const { handler } = withFaults(
    routes([
      ['/sql', createNeonHandler({ engine: sql, accepts: acceptsOnly(databaseUrl), report: complain })],
      ['/', createUpstashHandler({ engine: redis, token })],
    ]),
  )
  reserved.close()
  const listener = await listen({ routes: [['/', handler]], port, onError: complain })
  endWhenAsked(async () => {
    await listener.close()
    await redis.close()
    await sql.close()
    claim?.release()
  })
  await report({ ready: true })
}

async function migratedEngine() {
  const { applyMigrations } = await import('./migrate.ts')
  const { openPersistentEngine } = await import('./persistent-engine.ts')
  const { createPgliteEngine } = await import('./pglite-engine.ts')
  const engine = directory === undefined ? await createPgliteEngine() : await openPersistentEngine(directory)
  try {
    await applyMigrations(engine, new URL('../migrations/', import.meta.url))
  } catch (cause) {
    await engine.close()
    const mend = directory === undefined ? '' : `: mend it, or delete ${shownPath(directory)} to start anew`
    throw new LocalServicesError(`${cause instanceof Error ? cause.message : cause}${mend}`, { cause })
  }
  return engine
}

/** From now on there is something to close before this process may end. */
function endWhenAsked(close: () => Promise<void>): void {
  let ending = false
  const end = async () => {
    if (ending) return
    ending = true
    await close()
    process.exit()
  }
  process.removeAllListeners('disconnect')
  for (const reason of ['disconnect', 'SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(reason, end)
}

/** Resolves once it is sent, or cannot be: that the parent is gone is found out by `disconnect`. */
function report(message: LocalServicesReport): Promise<void> {
  return new Promise((resolve) => {
    if (process.send) process.send(message, undefined, undefined, () => resolve())
    else resolve()
  })
}

/** What is kept from callers; a developer wants to see it. */
function complain(failure: unknown): void {
  const text = failure instanceof Error ? failure.stack : String(failure)
  process.stderr.write(`[local services] ${text}\n`)
}
