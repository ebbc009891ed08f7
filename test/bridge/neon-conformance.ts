import { neon, type types } from '@neondatabase/serverless'
import type pg from 'pg'
import { describe, expect, test } from 'vitest'
import type { NeonEndpoint } from './neon-endpoint.ts'

const QUERIES: [sql: string, params?: unknown[]][] = [
  ['select 1 as one, null as nothing, $1::text as text', ['x']],
  ['select * from pg_type where oid < 100 order by oid'],
  ['select oid, relname, relacl, reloptions from pg_class where oid < 3000 order by oid limit 50'],
  ["select 1.50::numeric(5,2), 1e300::float8, (-0.0)::float4, 255::\"char\", 'a'::char(3), 'b'::varchar(7)"],
  [
    "select timestamptz '2026-02-03 04:05:06.789', timestamp 'infinity', date '2026-02-03', time '04:05', '04:05+02'::timetz",
  ],
  [
    "select '1 year 2 mons'::interval, '(1,2)'::point, '10.0.0.1/8'::inet, b'101', '<1,2>'::text, 'a b'::tsvector",
  ],
  [
    "select array['a', null, 'b c'], array[[1, 2], [3, 4]], '{}'::date[], array[point '(1,2)'], '{(1,2),(3,4);(5,6),(7,8)}'::box[]",
  ],
  [
    'select $1::jsonb, $2::json, $3::int[], $4::bytea',
    [{ a: [1] }, '{"b" : 2}', [1, 2], Buffer.from([0, 255])],
  ],
  ['values (1, true), (2, false)'],
  ['create table conform (id int primary key, name varchar(20) not null, "Odd Name" numeric(6,3))'],
  ["insert into conform (id, name) values (1, 'a'), (2, 'b') returning *"],
  ['insert into conform (id, name) select id + 2, name from conform'],
  ['update conform set "Odd Name" = id / 2.0 where id > $1 returning id, "Odd Name"', [1]],
  ['select c.id, c.name as alias, c.*, count(*) over () from conform c order by id'],
  ["select row(1, 'a'), (select c from conform c where id = 1)"],
  ['delete from conform where id = 1'],
  ['explain select 1'],
  ['show all'],
  ['create table conform2 as select * from conform'],
  ['create index on conform (name)'],
  ['analyze conform'],
  ['select from conform'],
  ['select 1 where false'],
  ['set local work_mem = 1024'],
  ['do $$ begin perform 1; end $$'],
  ["merge into conform c using (values (2)) v (id) on c.id = v.id when matched then update set name = 'm'"],
  ['drop table conform, conform2'],
  ['selct'],
  ['select $1::int', ['x']],
  ['select 1 / $1::int', [0]],
]

/** What comes back over HTTP is what node-postgres itself returns on the same database, fields and all. */
export function neonConformance(endpoint: () => NeonEndpoint, direct: () => pg.Client): void {
  describe('conformance with node-postgres', () => {
    // Both parse with one table: drizzle has changed the driver's own by now.
    const text = { getTypeParser: () => (value: string) => value }

    test.each(QUERIES)('%s', async (query, params = []) => {
      const over = neon(endpoint().connectionString, { fullResults: true, arrayMode: true })
      // Each side starts from the same state: what the direct one does is undone, except where it fails anyway.
      await direct().query('begin')
      const expected = await direct()
        .query({
          text: query,
          values: params,
          rowMode: 'array',
          types: text as unknown as pg.CustomTypesConfig,
        })
        .catch((error: pg.DatabaseError) => error)
      await direct().query('rollback')
      const actual = await over
        .query(query, params, { types: text as unknown as typeof types })
        .catch((error: pg.DatabaseError) => error)
      if (expected instanceof Error) {
        const { code, message, position, severity, routine, where } = expected
        expect(actual).toMatchObject({ code, message, severity, routine })
        expect([(actual as pg.DatabaseError).position, (actual as pg.DatabaseError).where]).toEqual([
          position,
          where,
        ])
      } else {
        const { command, rowCount, rows, fields } = actual as unknown as pg.QueryArrayResult
        const known = fields.map((field) => ({ ...field }))
        const wanted = expected.fields.map((field) => ({ ...field }))
        expect({ command, rowCount, fields: known }).toEqual({
          command: expected.command,
          rowCount: expected.rowCount,
          fields: wanted,
        })
        if (!/^(show all|explain)/.test(query)) expect(rows).toEqual(expected.rows)
      }
    })
  })
}
