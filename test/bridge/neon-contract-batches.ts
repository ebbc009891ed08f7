import { neon } from '@neondatabase/serverless'
import { beforeEach, describe, expect, test } from 'vitest'
import { type NeonEndpoint, post } from './neon-endpoint.ts'

const LEVELS = {
  ReadUncommitted: 'read uncommitted',
  ReadCommitted: 'read committed',
  RepeatableRead: 'repeatable read',
  Serializable: 'serializable',
} as const

export function batchContract(endpoint: () => NeonEndpoint): void {
  describe('batches', () => {
    const connect = () => neon(endpoint().connectionString)
    const bodies = async () => (await connect()`select body from notes order by body`).map(({ body }) => body)
    const code = (batch: Promise<unknown>) =>
      batch.then(
        () => expect.unreachable(),
        (error) => error.code,
      )

    beforeEach(async () => {
      await connect()`delete from notes`
      await connect()`delete from later`
    })

    test('all of it is committed, and every result comes back in order', async () => {
      const sql = connect()
      const results = await sql.transaction([
        sql`insert into notes (body) values ('a') returning body`,
        sql`insert into notes (body) select body || 'b' from notes returning body`,
        sql`select count(*)::int as n from notes`,
      ])
      expect(results).toEqual([[{ body: 'a' }], [{ body: 'ab' }], [{ n: 2 }]])
      expect(await bodies()).toEqual(['a', 'ab'])
    })

    test('the first error undoes all of it and is the answer', async () => {
      const sql = connect()
      const batch = sql.transaction([
        sql`insert into notes (body) values ('a')`,
        sql`select 1 / 0`,
        sql`insert into nowhere values (1)`,
      ])
      expect(await code(batch)).toBe('22012')
      expect(await bodies()).toEqual([])
    })

    test('statements see the schema that earlier ones made', async () => {
      const sql = connect()
      const results = await sql.transaction([
        sql`create table passing (id int)`,
        sql`insert into passing values (7)`,
        sql`select id from passing`,
        sql`drop table passing`,
      ])
      expect(results[2]).toEqual([{ id: 7 }])
    })

    test.each(Object.entries(LEVELS))('isolation level %s', async (isolationLevel, shown) => {
      const sql = connect()
      const level = isolationLevel as keyof typeof LEVELS
      const results = await sql.transaction([sql`show transaction_isolation`], { isolationLevel: level })
      expect(results).toEqual([[{ transaction_isolation: shown }]])
    })

    test('read only: writes fail with 25006', async () => {
      const sql = connect()
      expect(await code(sql.transaction([sql`delete from notes`], { readOnly: true }))).toBe('25006')
    })

    test('serializable, read only, deferrable at once', async () => {
      const sql = connect()
      const settings = await sql.transaction(
        [sql`show transaction_isolation`, sql`show transaction_read_only`, sql`show transaction_deferrable`],
        { isolationLevel: 'Serializable', readOnly: true, deferrable: true },
      )
      expect(settings.flat().map((row) => Object.values(row)[0])).toEqual(['serializable', 'on', 'on'])
    })

    test('the options are echoed in headers, for a batch only', async () => {
      const headers = {
        'Neon-Batch-Isolation-Level': 'RepeatableRead',
        'Neon-Batch-Read-Only': 'true',
        'Neon-Batch-Deferrable': 'true',
      }
      const batch = await post(endpoint(), { queries: [{ query: 'select 1' }] }, headers)
      const single = await post(endpoint(), { query: 'select 1' }, headers)
      for (const [name, value] of Object.entries(headers)) {
        expect(batch.headers.get(name)).toBe(value)
        expect(single.headers.get(name)).toBeNull()
      }
    })

    test('a deferred constraint is checked at the commit, and its error is the answer', async () => {
      const sql = connect()
      expect(await code(sql.transaction([sql`insert into later values (1, 99)`]))).toBe('23503')
      await sql.transaction([
        sql`insert into later values (1, 77)`,
        sql`insert into parents values (77, 'late', 0)`,
      ])
      expect(await sql`select parent_id from later`).toEqual([{ parent_id: 77 }])
    })

    test('an empty batch has no results', async () => {
      expect(await connect().transaction([])).toEqual([])
      const { status, body } = await post(endpoint(), { queries: [] })
      expect([status, body]).toEqual([200, { results: [] }])
    })

    test('an empty statement inside keeps its place', async () => {
      const { body } = await post(endpoint(), { queries: [{ query: '' }, { query: 'select 2' }] })
      expect(body.results.map(({ command }: { command: string }) => command)).toEqual(['', 'SELECT'])
    })

    test('arrayMode of a query overrides the header', async () => {
      const queries = [{ query: 'select 1 as a', arrayMode: false }, { query: 'select 2 as a' }]
      const { body } = await post(endpoint(), { queries })
      expect(
        body.results.map(({ rows, rowAsArray }: { rows: unknown; rowAsArray: boolean }) => [
          rows,
          rowAsArray,
        ]),
      ).toEqual([
        [[{ a: '1' }], false],
        [[['2']], true],
      ])
    })

    test('transaction-local settings ride with their query, and end with it', async () => {
      const sql = connect()
      const results = await sql.transaction([
        sql`select set_config('app.tenant', 'acme', true)`,
        sql`select current_setting('app.tenant') as tenant`,
      ])
      expect(results[1]).toEqual([{ tenant: 'acme' }])
      const [row] = await sql`select coalesce(current_setting('app.tenant', true), '') as tenant`
      expect(row).toEqual({ tenant: '' })
    })
  })
}
