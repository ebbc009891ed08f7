import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrationManifest } from '../../dev/write-migration-manifest.ts'
import { createDatabase, type Database } from '../../src/data/database.ts'
import { MIGRATIONS } from '../../src/data/migration-manifest.ts'
import { migrationsCheck } from '../../src/health/checks/migrations.ts'
import { type Backend, startBackend } from '../reference/backends.ts'

let backend: Backend
let database: Database
beforeAll(async () => {
  backend = await startBackend()
  const { DATABASE_URL: url = '', NEON_FETCH_ENDPOINT: endpoint } = backend.env
  database = createDatabase({ url, endpoint, timeoutMs: 5000 })
})
afterAll(() => backend?.close())

const run = (needed?: readonly string[]) => migrationsCheck(database, needed).run()
const journal = (statement: string) => database.execute(statement)

test('the manifest is what is in the folder', async () => {
  const files = readdirSync(new URL('../../migrations/', import.meta.url)).filter((name) =>
    name.endsWith('.sql'),
  )
  expect(MIGRATIONS.map((id) => `${id}.sql`)).toEqual(files.sort())
  const source = readFileSync(new URL('../../src/data/migration-manifest.ts', import.meta.url), 'utf8')
  expect(source, 'run: node dev/write-migration-manifest.ts').toBe(await migrationManifest())
})

test('passes while what this build needs is applied, and no more', async () => {
  await expect(run()).resolves.toBeUndefined()
})

test('fails while one is pending, wherever in the order it is', async () => {
  await expect(run([...MIGRATIONS, '9999_next'])).rejects.toMatchObject({ failure: 'pending' })
  await expect(run(['0000_before', ...MIGRATIONS])).rejects.toMatchObject({ failure: 'pending' })
})

test('warns of a schema that is newer than this build', async () => {
  await journal(`insert into parapet_migrations (id, sha256) values ('9999_newer', '-')`)
  await expect(run()).resolves.toBe('warn')
  await expect(run([...MIGRATIONS, '9999_next'])).rejects.toMatchObject({ failure: 'pending' })
  await journal(`delete from parapet_migrations where id = '9999_newer'`)
})

test('fails where the journal is empty, is not there, or is something else', async () => {
  await journal('alter table parapet_migrations rename to kept')
  await expect(run()).rejects.toMatchObject({ failure: 'pending' })
  await journal('create table parapet_migrations (id text)')
  await expect(run()).rejects.toMatchObject({ failure: 'pending' })
  await journal('drop table parapet_migrations')
  await journal('create table parapet_migrations (id integer)')
  await journal('insert into parapet_migrations values (1)')
  await expect(run()).rejects.toMatchObject({ failure: 'bad_response' })
  await journal('drop table parapet_migrations')
  await journal('create table parapet_migrations (name text)')
  await expect(run()).rejects.toMatchObject({ failure: 'bad_response' })
  await journal('drop table parapet_migrations')
  await journal('alter table kept rename to parapet_migrations')
  await expect(run()).resolves.toBeUndefined()
})
