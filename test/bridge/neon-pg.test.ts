import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPgEngine } from '../../bridge/sql/pg-engine.ts'
import type { SqlEngine } from '../../bridge/sql/sql-engine.ts'
import { applyMigrations } from '../../dev/migrate.ts'
import { migrateContract } from './migrate-contract.ts'
import { neonConformance } from './neon-conformance.ts'
import { neonContract } from './neon-contract.ts'
import { sessionContract } from './neon-contract-sessions.ts'
import { type NeonEndpoint, post, serveNeon } from './neon-endpoint.ts'
import { pgRaces } from './pg-races.ts'

const server = process.env.TEST_DATABASE_URL
if (!server)
  process.stderr.write('SKIPPED test/bridge/neon-pg: TEST_DATABASE_URL names no PostgreSQL to test on\n')

const database = `parapet_bridge_${randomBytes(6).toString('hex')}`
let admin: pg.Client
let direct: pg.Client
let connectionString: string
let engine: SqlEngine
let endpoint: NeonEndpoint

describe.skipIf(!server)("Neon's protocol over PostgreSQL", () => {
  beforeAll(async () => {
    admin = new pg.Client(server)
    await admin.connect()
    await admin.query(`create database ${database}`)
    const url = new URL(server ?? '')
    url.pathname = `/${database}`
    connectionString = url.href
    direct = new pg.Client(connectionString)
    await direct.connect()
    engine = createPgEngine({ connectionString })
    endpoint = await serveNeon(engine)
  }, 30_000)

  afterAll(async () => {
    await endpoint?.close()
    await engine?.close()
    await direct?.end()
    await admin?.query(`drop database if exists ${database} with (force)`)
    await admin?.end()
  }, 30_000)

  neonContract(() => endpoint)
  describe('with one connection, which every request inherits', () => {
    let only: SqlEngine
    let narrow: NeonEndpoint
    beforeAll(async () => {
      only = createPgEngine({ connectionString, poolSize: 1 })
      narrow = await serveNeon(only)
    })
    afterAll(async () => {
      await narrow?.close()
      await only?.close()
    })
    sessionContract(() => narrow)

    test('errors and strays do not cost the connection', async () => {
      const pid = async () => (await post(narrow, { query: 'select pg_backend_pid()' })).body.rows[0][0]
      const before = await pid()
      await post(narrow, { query: 'select 1 / 0' })
      await post(narrow, { query: 'begin' })
      await post(narrow, { queries: [{ query: 'select 1 / 0' }] })
      expect(await pid()).toBe(before)
    })
  })
  neonConformance(
    () => endpoint,
    () => direct,
  )
  migrateContract(() => ({ exec: (sql) => direct.query(sql), query: (sql) => direct.query(sql) }))
  test('two who migrate at once apply everything once', async () => {
    await direct.query('create schema race')
    const clients = [new pg.Client(connectionString), new pg.Client(connectionString)]
    for (const client of clients) {
      await client.connect()
      await client.query('set search_path to race')
    }
    const migrations = new URL('../../migrations/', import.meta.url)
    const done = await Promise.all(
      clients.map((client) =>
        applyMigrations({ exec: (sql) => client.query(sql), query: (sql) => client.query(sql) }, migrations),
      ),
    )
    await Promise.all(clients.map((client) => client.end()))
    const { rows } = await direct.query('select id from race.parapet_migrations order by id')
    expect(done.flat().sort()).toEqual(rows.map(({ id }) => id))
    expect(rows.length).toBeGreaterThan(0)
  })
  pgRaces(
    () => connectionString,
    () => direct,
  )
})
