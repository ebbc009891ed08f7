import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { applyMigrations, type MigrationConnection } from '../../dev/migrate.ts'

const MIGRATIONS = new URL('../../migrations/', import.meta.url)

/** What `applyMigrations` must do over any connection; wants a database of its own. */
export function migrateContract(connect: () => MigrationConnection): void {
  describe('migrations', () => {
    let folder = ''
    const add = (name: string, sql: string) => writeFile(join(folder, name), sql)
    const journal = async () =>
      (await connect().query('select id from parapet_migrations order by id')).rows.map((row) => row.id)

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'parapet-migrations-'))
      await copyFile(new URL('0001_customers.sql', MIGRATIONS), join(folder, '0001_customers.sql'))
    })
    afterAll(() => rm(folder, { recursive: true, force: true }))

    test('are applied once, in order', async () => {
      await add('0003_c.sql', 'insert into steps values (3)')
      await add('0002_b.sql', 'create table steps (n int); -- no line feed at the end')
      await add('README.md', 'not SQL')
      expect(await applyMigrations(connect(), folder)).toEqual(['0001_customers', '0002_b', '0003_c'])
      expect(await applyMigrations(connect(), folder)).toEqual([])
      expect(await journal()).toEqual(['0001_customers', '0002_b', '0003_c'])
      expect((await connect().query('select n from steps')).rows).toEqual([{ n: 3 }])
    })

    test('customers: addresses are one whatever their case, states are known', async () => {
      const insert = (email: string, status: string) =>
        connect().exec(`insert into customers (name, email, status) values ('n', '${email}', '${status}')`)
      await insert('Ann@example.test', 'active')
      await expect(insert('ann@EXAMPLE.test', 'active')).rejects.toMatchObject({ code: '23505' })
      await expect(insert('bob@example.test', 'gone')).rejects.toMatchObject({ code: '23514' })
    })

    test('one that fails is undone, and its file named', async () => {
      await add('0004_d.sql', 'create table half (n int); select 1 / 0;')
      await expect(applyMigrations(connect(), folder)).rejects.toThrow('0004_d.sql failed: division by zero')
      expect(await journal()).not.toContain('0004_d')
      expect((await connect().query("select to_regclass('half')::text as half")).rows).toEqual([
        { half: null },
      ])
      await add('0004_d.sql', 'create table half (n int)')
      expect(await applyMigrations(connect(), folder)).toEqual(['0004_d'])
    })

    test('one that was edited after it was applied is refused by name', async () => {
      await add('0003_c.sql', 'insert into steps values (4)')
      await expect(applyMigrations(connect(), folder)).rejects.toThrow('0003_c.sql was edited')
      expect((await connect().query('select n from steps')).rows).toEqual([{ n: 3 }])
      await add('0003_c.sql', 'insert into steps values (3)')
    })
  })
}
