import { neon } from '@neondatabase/serverless'
import { describe, expect, test } from 'vitest'
import { type NeonEndpoint, post } from './neon-endpoint.ts'

const MB = 1_000_000

export function loadContract(endpoint: () => NeonEndpoint): void {
  describe('size and number', () => {
    test('a value of 5 MB goes there and back', async () => {
      const value = 'é'.repeat(MB / 2).padEnd(5 * MB - MB / 2, 'x')
      expect(Buffer.byteLength(value)).toBe(5 * MB)
      const [row] = await neon(endpoint().connectionString)`select ${value}::text as v, length(${value}) as n`
      expect(row?.v === value).toBe(true)
      expect(row?.n).toBe(value.length)
    })

    test('20 000 rows', async () => {
      const rows = await neon(
        endpoint().connectionString,
      )`select n, md5(n::text) as h from generate_series(1, 20000) n`
      expect(rows).toHaveLength(20_000)
      expect(rows.at(-1)).toEqual({ n: 20_000, h: expect.stringMatching(/^[0-9a-f]{32}$/) })
    })

    test('50 requests at once each get their own answer', async () => {
      const sql = neon(endpoint().connectionString)
      const answers = await Promise.all(
        Array.from({ length: 50 }, async (_, n) => {
          if (n % 5 === 0) return sql.query('select 1 / $1::int', [0]).catch((error) => error.code)
          const [rows] = await sql.transaction([sql`select ${n}::int as n, pg_sleep(0.001)`])
          return rows?.[0]?.n
        }),
      )
      expect(answers).toEqual(Array.from({ length: 50 }, (_, n) => (n % 5 === 0 ? '22012' : n)))
    })

    test('a request beyond the limit is a 413, and nothing of it runs', async () => {
      const query = `insert into notes (body) values ('big') -- ${'x'.repeat(endpoint().maxRequestBytes)}`
      const { status, body } = await post(endpoint(), { query })
      expect(status).toBe(413)
      expect(body.message).toBe(`request is too large (max is ${endpoint().maxRequestBytes} bytes)`)
      expect(
        (await post(endpoint(), { query: "select 1 from notes where body = 'big'" })).body.rowCount,
      ).toBe(0)
    })

    test.each([
      ['in one value', "select repeat('x', $1)", 1],
      ['over many rows', "select repeat('x', 1000) from generate_series(1, $1 / 1000)", 1],
      // As text it fits; escaped as JSON it does not.
      ['once it is JSON', "select repeat('\"', $1)", 0.6],
    ])('a response beyond the limit %s is a 507', async (_, query, share) => {
      const limit = endpoint().maxResponseBytes
      const { status, body } = await post(endpoint(), { query, params: [Math.ceil(limit * share)] })
      expect(status).toBe(507)
      expect(body.message).toBe(`response is too large (max is ${limit} bytes)`)
      expect((await post(endpoint(), { query: 'select 1' })).body.rows).toEqual([['1']])
    })

    test('a batch beyond the limit is a 507 as a whole', async () => {
      const query = "select repeat('x', $1)"
      const params = [Math.ceil(endpoint().maxResponseBytes * 0.6)]
      const { status } = await post(endpoint(), {
        queries: [
          { query, params },
          { query, params },
        ],
      })
      expect(status).toBe(507)
    })
  })
}
