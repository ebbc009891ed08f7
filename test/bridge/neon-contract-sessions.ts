import { describe, expect, test } from 'vitest'
import { type NeonEndpoint, post } from './neon-endpoint.ts'

/** Pools hand out connections in any order: each look is taken several times. */
const LOOKS = 4

export function sessionContract(endpoint: () => NeonEndpoint): void {
  describe('sessions do not outlive a request', () => {
    const leaks: [what: string, leave: string, look: string, clean: string | null][] = [
      [
        'a setting',
        "select set_config('app.who', 'mallory', false)",
        "select nullif(current_setting('app.who', true), '')",
        null,
      ],
      [
        'a search path',
        'set search_path to pg_catalog',
        "select current_setting('search_path') = 'pg_catalog'",
        'f',
      ],
      [
        'a temporary table',
        'create temp table if not exists leak (id int)',
        "select to_regclass('pg_temp.leak')::text",
        null,
      ],
      [
        'a prepared statement',
        'prepare leak as select 1',
        'select min(name) from pg_prepared_statements',
        null,
      ],
      [
        'a cursor',
        'declare leak cursor with hold for select 1',
        "select min(name) from pg_cursors where name = 'leak'",
        null,
      ],
      [
        'an advisory lock',
        'select pg_advisory_lock(4242)',
        "select count(*)::text from pg_locks where locktype = 'advisory' and objid = 4242",
        '0',
      ],
      ['a subscription', 'listen leak', 'select min(c) from pg_listening_channels() c', null],
      [
        'a time zone',
        "set time zone 'Asia/Tokyo'",
        "select nullif(current_setting('TimeZone'), 'Asia/Tokyo') is null",
        'f',
      ],
    ]

    test.each(leaks)('%s', async (_, leave, look, clean) => {
      expect((await post(endpoint(), { query: leave })).status).toBe(200)
      for (let n = 0; n < LOOKS; n += 1) {
        expect((await post(endpoint(), { query: look })).body.rows).toEqual([[clean]])
      }
    })

    test('a stray BEGIN is rolled back with what it began', async () => {
      const notes = () => post(endpoint(), { query: "select 1 from notes where body = 'stray'" })
      expect((await post(endpoint(), { query: 'begin' })).body.command).toBe('BEGIN')
      await post(endpoint(), { query: "insert into notes (body) values ('stray')" })
      expect((await notes()).body.rowCount).toBe(1)
      await post(endpoint(), { query: "delete from notes where body = 'stray'" })
      // Within a batch the BEGIN is only a warning.
      const queries = [{ query: 'begin' }, { query: "insert into notes (body) values ('stray')" }]
      expect((await post(endpoint(), { queries })).status).toBe(200)
      expect((await notes()).body.rowCount).toBe(1)
      await post(endpoint(), { query: "delete from notes where body = 'stray'" })
    })

    test('a batch that chains a new transaction leaves nothing open', async () => {
      const queries = [
        { query: 'commit' },
        { query: 'begin' },
        { query: "insert into notes (body) values ('x')" },
        { query: 'rollback and chain' },
      ]
      expect((await post(endpoint(), { queries })).status).toBe(200)
      for (let n = 0; n < LOOKS; n += 1) {
        const { body } = await post(endpoint(), { query: "select 1 from notes where body = 'x'" })
        expect(body.rowCount).toBe(0)
      }
    })
  })
}
