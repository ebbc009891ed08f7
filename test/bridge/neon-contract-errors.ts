import { NeonDbError, neon } from '@neondatabase/serverless'
import { describe, expect, test } from 'vitest'
import { type NeonEndpoint, post } from './neon-endpoint.ts'

const ERRORS: [code: string, sql: string, fields: Record<string, unknown>][] = [
  [
    '23505',
    "insert into parents values (1, 'other', 1)",
    {
      severity: 'ERROR',
      detail: 'Key (id)=(1) already exists.',
      schema: 'public',
      table: 'parents',
      constraint: 'parents_pkey',
      message: 'duplicate key value violates unique constraint "parents_pkey"',
    },
  ],
  [
    '23503',
    'insert into children values (1, 99)',
    {
      detail: 'Key (parent_id)=(99) is not present in table "parents".',
      constraint: 'children_parent_id_fkey',
    },
  ],
  [
    '23514',
    "insert into parents values (3, 'x', -1)",
    { constraint: 'parents_amount_check', table: 'parents' },
  ],
  [
    '23502',
    'insert into parents values (3, null, 1)',
    { column: 'label', table: 'parents', schema: 'public' },
  ],
  ['42601', 'selct 1', { position: '1', routine: 'scanner_yyerror' }],
  ['42703', 'select labl from parents', { position: '8', hint: expect.stringContaining('parents.label') }],
  ['42P01', 'select 1 from nowhere', { position: '15' }],
  ['22P02', "select 'x'::int", {}],
  ['22012', 'select 1 / 0', {}],
  ['0A000', 'copy parents to stdout', { message: 'COPY is not supported over HTTP' }],
  ['0A000', '/* a /* b */ */ -- c\n ; COPY parents FROM STDIN', {}],
  ['42601', 'select 1; select 2', { message: 'cannot insert multiple commands into a prepared statement' }],
  ['42601', 'begin; commit', {}],
]

export function errorContract(endpoint: () => NeonEndpoint): void {
  describe('errors', () => {
    const failure = (query: string, params: unknown[] = []) =>
      neon(endpoint().connectionString)
        .query(query, params)
        .then(
          () => expect.unreachable(),
          (error: unknown) => error as NeonDbError,
        )

    test.each(ERRORS)('%s: %s', async (code, sql, fields) => {
      const error = await failure(sql)
      expect(error).toBeInstanceOf(NeonDbError)
      expect(error).toMatchObject({ code, ...fields })
    })

    test('08P01: the wrong number of parameters', async () => {
      const error = await failure('select $1::int, $2::int', [1])
      expect(error.code).toBe('08P01')
      expect(error.message).toContain('bind message supplies 1 parameters')
    })

    test('a raised exception keeps every field it was given', async () => {
      const error = await failure(`do $$ begin
        raise exception using message = 'no: é', errcode = 'P0042', detail = 'too much', hint = 'take less',
          column = 'amount', constraint = 'fair', datatype = 'int4', table = 'parents', schema = 'public';
      end $$`)
      expect(error).toMatchObject({
        message: 'no: é',
        code: 'P0042',
        detail: 'too much',
        hint: 'take less',
        column: 'amount',
        constraint: 'fair',
        dataType: 'int4',
        table: 'parents',
        schema: 'public',
        where: expect.stringContaining('PL/pgSQL function inline_code_block line 2 at RAISE'),
        routine: 'exec_stmt_raise',
      })
    })

    test('an error inside a function names its inner query', async () => {
      const error = await failure(`do $$ begin execute 'selct 2'; end $$`)
      expect(error).toMatchObject({ code: '42601', internalPosition: '1', internalQuery: 'selct 2' })
      expect(error.position).toBeUndefined()
    })

    test('an error body has every field, with null where there is nothing to say', async () => {
      const { status, headers, body } = await post(endpoint(), { query: 'select 1/0' })
      expect(status).toBe(400)
      expect(headers.get('access-control-allow-origin')).toBe('*')
      expect(Object.keys(body).sort()).toEqual(
        'code column constraint dataType detail file hint internalPosition internalQuery line message position routine schema severity table where'.split(
          ' ',
        ),
      )
      expect(body.hint).toBeNull()
      expect(typeof body.line).toBe('string')
    })

    test('a COPY in a batch is refused before anything runs', async () => {
      const queries = [
        { query: "insert into notes (body) values ('lost')" },
        { query: 'copy notes to stdout' },
      ]
      expect((await post(endpoint(), { queries })).body.code).toBe('0A000')
      expect((await post(endpoint(), { query: 'select 1 from notes' })).body.rowCount).toBe(0)
    })

    test('the next request after an error is served', async () => {
      await failure('selct')
      expect((await post(endpoint(), { query: 'select 1' })).body.rows).toEqual([['1']])
    })
  })
}
