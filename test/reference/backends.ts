import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { randomToken, startBridge } from '../../bridge/bridge.ts'
import { startLocalServices } from '../../dev/local-services.ts'
import { applyMigrations } from '../../dev/migrate.ts'

/** A migrated, empty Postgres and a Redis behind the protocols that production speaks. */
export interface Backend {
  env: Record<string, string>
  close(): Promise<void>
}

const MIGRATIONS = new URL('../../migrations/', import.meta.url)

/** The embedded engines, or the real servers that `npm run test:services` names. */
export const startBackend = (): Promise<Backend> => {
  const { TEST_DATABASE_URL, TEST_REDIS_URL } = process.env
  if (TEST_DATABASE_URL && TEST_REDIS_URL) return real(TEST_DATABASE_URL, TEST_REDIS_URL)
  return startLocalServices({ memory: true })
}

/** A database of its own on the real server, dropped when the test is over. */
const real = async (server: string, redisUrl: string): Promise<Backend> => {
  const name = `parapet_test_${randomBytes(6).toString('hex')}`
  await onServer(server, `create database ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  const client = new pg.Client({ connectionString: url.href })
  await client.connect()
  await applyMigrations({ exec: (sql) => client.query(sql), query: (sql) => client.query(sql) }, MIGRATIONS)
  await client.end()
  const bridge = await startBridge({ databaseUrl: url.href, databasePassword: randomToken(), redisUrl })
  return {
    env: bridge.env,
    close: async () => {
      await bridge.close()
      await onServer(server, `drop database if exists ${name} with (force)`)
    },
  }
}

const onServer = async (connectionString: string, sql: string): Promise<void> => {
  const client = new pg.Client({ connectionString })
  await client.connect()
  await client.query(sql)
  await client.end()
}
