import { neon } from '@neondatabase/serverless'
import { describe, expect, test } from 'vitest'
import { type NeonEndpoint, post } from './neon-endpoint.ts'

/** Expression, its text on the wire, its type's OID, and its JSON where raw text is not asked for. */
const VALUES: [sql: string, text: string | null, oid: number, json: unknown][] = [
  ['9223372036854775807::int8', '9223372036854775807', 20, '9223372036854775807'],
  ['(-32768)::int2', '-32768', 21, -32768],
  ['2147483647', '2147483647', 23, 2147483647],
  [
    '12345678901234567890.0123456789::numeric(30,10)',
    '12345678901234567890.0123456789',
    1700,
    '12345678901234567890.0123456789',
  ],
  ['0.1::float8', '0.1', 701, 0.1],
  ["'NaN'::float8", 'NaN', 701, 'NaN'],
  ["'-Infinity'::float4", '-Infinity', 700, '-Infinity'],
  ['true', 't', 16, true],
  ['null::text', null, 25, null],
  [
    "timestamptz '2026-11-21 10:00:00.123456+00' at time zone 'UTC'",
    '2026-11-21 10:00:00.123456',
    1114,
    '2026-11-21 10:00:00.123456',
  ],
  ["date '0044-03-15 BC'", '0044-03-15 BC', 1082, '0044-03-15 BC'],
  ["interval '1 day 02:03:04'", '1 day 02:03:04', 1186, '1 day 02:03:04'],
  [
    "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid",
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    2950,
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
  ],
  ["'\\x00ff10'::bytea", '\\x00ff10', 17, '\\x00ff10'],
  [
    `'{"b": 12345678901234567890, "a": "żółć 🦉\\u0001"}'::json`,
    '{"b": 12345678901234567890, "a": "żółć 🦉\\u0001"}',
    114,
    { b: Number('12345678901234567890'), a: 'żółć 🦉\u0001' },
  ],
  [`'{"a": [1, null, "x"]}'::jsonb`, '{"a": [1, null, "x"]}', 3802, { a: [1, null, 'x'] }],
  ['array[1, null, 3]', '{1,NULL,3}', 1007, [1, null, 3]],
  ['array[]::int[]', '{}', 1007, []],
  [
    `array['a', null, 'NULL', '', 'q"\\,{}', e'l\\n']`,
    '{a,NULL,"NULL","","q\\"\\\\,{}","l\n"}',
    1009,
    ['a', null, 'NULL', '', 'q"\\,{}', 'l\n'],
  ],
  [
    'array[[1,2],[3,null]]',
    '{{1,2},{3,NULL}}',
    1007,
    [
      [1, 2],
      [3, null],
    ],
  ],
  ["'[0:1]={7,8}'::int[]", '[0:1]={7,8}', 1007, [7, 8]],
  ['array[true, false]', '{t,f}', 1000, [true, false]],
  [`array['{"a":1}'::jsonb]`, '{"{\\"a\\": 1}"}', 3807, [{ a: 1 }]],
  ["'[1,10)'::int4range", '[1,10)', 3904, '[1,10)'],
]

export function valueContract(endpoint: () => NeonEndpoint): void {
  describe('values', () => {
    test.each(VALUES)('%s is %j on the wire', async (sql, text, oid, json) => {
      const query = `select ${sql} as v`
      const raw = await post(endpoint(), { query })
      expect(raw.body.rows).toEqual([[text]])
      expect(raw.body.fields[0]).toMatchObject({
        name: 'v',
        dataTypeID: oid,
        tableID: 0,
        columnID: 0,
        format: 'text',
      })
      const plain = await post(
        endpoint(),
        { query },
        { 'Neon-Raw-Text-Output': null, 'Neon-Array-Mode': null },
      )
      expect(plain.body.rows).toEqual([{ v: json }])
    })

    test('a timestamptz keeps its microseconds and its instant', async () => {
      const { body } = await post(endpoint(), { query: "select timestamptz '2026-11-21 10:00:00.123456+02'" })
      const [[text]] = body.rows
      expect(text).toContain('.123456')
      expect(new Date(text.replace(/([+-]\d\d)$/, '$1:00')).toISOString()).toBe('2026-11-21T08:00:00.123Z')
    })

    test('the driver gets values and parameters of every kind there and back', async () => {
      const sql = neon(endpoint().connectionString)
      const bytes = Buffer.from([0, 1, 254, 255])
      const list = ['a', 'b"c', null, '\\', 'é🦉', 'line\nfeed']
      const [row] = await sql`select ${'9223372036854775807'}::int8 as big, ${list}::text[] as list,
        ${{ a: ['ß', 1.5] }}::jsonb as doc, ${bytes}::bytea as bytes, ${null}::int as nothing, ${true}::bool as yes,
        ${[[1, 2], [3, 4]]}::int[] as nested, ${'😀'.repeat(3)}::text as text`
      expect(row).toEqual({
        big: '9223372036854775807',
        list,
        doc: { a: ['ß', 1.5] },
        bytes,
        nothing: null,
        yes: true,
        nested: [
          [1, 2],
          [3, 4],
        ],
        text: '😀😀😀',
      })
    })

    test('parameters that are plain JSON become Postgres text', async () => {
      const query = 'select $1::bool, $2::int, $3::jsonb, $4::text[], $5::int[], $6::text, $7::jsonb[]'
      const params = [true, 42, { a: [1] }, ['x"y', null, 'a\nb'], [[1], [2]], null, [{ b: 'c"' }]]
      const { body } = await post(endpoint(), { query, params })
      expect(body.rows).toEqual([
        [
          't',
          '42',
          '{"a": [1]}',
          '{"x\\"y",NULL,"a\nb"}',
          '{{1},{2}}',
          null,
          '{"{\\"b\\": \\"c\\\\\\"\\"}"}',
        ],
      ])
    })

    test('commands, counts and fields are reported', async () => {
      const ask = async (query: string) => {
        const { body } = await post(endpoint(), { query })
        return [body.command, body.rowCount, body.rows.length]
      }
      expect(await ask('select 1 union select 2')).toEqual(['SELECT', 2, 2])
      expect(await ask("insert into notes (body) values ('a'), ('b') returning id")).toEqual(['INSERT', 2, 2])
      expect(await ask("update notes set body = 'c'")).toEqual(['UPDATE', 2, 0])
      expect(await ask('delete from notes')).toEqual(['DELETE', 2, 0])
      expect(await ask('create table if not exists notes (id int)')).toEqual(['CREATE', null, 0])
      expect(await ask('show server_version')).toEqual(['SHOW', null, 1])
      const { body } = await post(endpoint(), { query: 'select id, label as named from parents' })
      expect(body.fields[0].tableID).toBeGreaterThan(0)
      expect(body.fields[1]).toMatchObject({
        name: 'named',
        columnID: 2,
        dataTypeSize: -1,
        dataTypeModifier: -1,
      })
    })

    test.each(['', '  ', '-- nothing'])('an empty query %j has an empty result', async (query) => {
      const { status, body } = await post(endpoint(), { query })
      expect(status).toBe(200)
      expect(body).toEqual({ command: '', rowCount: null, rows: [], fields: [], rowAsArray: true })
    })
  })
}
