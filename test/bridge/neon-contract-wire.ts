import { neon } from '@neondatabase/serverless'
import { describe, expect, test } from 'vitest'
import { type NeonEndpoint, post } from './neon-endpoint.ts'

const ONE = { query: 'select 1' }

export function wireContract(endpoint: () => NeonEndpoint): void {
  describe('on the wire', () => {
    test.each([
      ['no JSON', 'not json'],
      ['nothing', ''],
      ['half of it', '{"query": "select 1"'],
      ['a number', '7'],
      ['null', 'null'],
      ['an array', '[]'],
      ['no query', '{"params": []}'],
      ['a query that is no text', '{"query": 1}'],
      ['parameters that are no array', '{"query": "select 1", "params": {"0": 1}}'],
      ['parameters that are null', '{"query": "select 1", "params": null}'],
      ['an arrayMode that is no boolean', '{"query": "select 1", "arrayMode": "yes"}'],
      ['queries that are no array', '{"queries": {"query": "select 1"}}'],
      ['a batch of texts', '{"queries": ["select 1"]}'],
      ['half a surrogate pair', '{"query": "select \'\\ud800\'"}'],
      ['half a surrogate pair in a parameter', '{"query": "select $1", "params": ["\\udc00"]}'],
      ['an integer that JSON has rounded', '{"query": "select $1::int8", "params": [9223372036854775807]}'],
      ['the same, deep inside', '{"query": "select $1::jsonb", "params": [{"a": [9223372036854775807]}]}'],
      [
        'nesting without end',
        `{"query": "select $1", "params": [${'['.repeat(200_000)}${']'.repeat(200_000)}]}`,
      ],
    ])('a body of %s is a 400', async (_, body) => {
      const answer = await post(endpoint(), body)
      expect(answer.status).toBe(400)
      expect(answer.body.message).toMatch(/^could not parse the HTTP request body: /)
      expect((await post(endpoint(), ONE)).status).toBe(200)
    })

    test('a body that is not UTF-8 is a 400', async () => {
      const { url, connectionString } = endpoint()
      const body = new Uint8Array([...new TextEncoder().encode('{"query": "select '), 0xff, 0x22, 0x7d])
      const response = await fetch(url, {
        method: 'POST',
        body,
        headers: { 'Neon-Connection-String': connectionString },
      })
      expect(response.status).toBe(400)
    })

    test('a zero byte is refused in a query, and by Postgres in a parameter', async () => {
      expect((await post(endpoint(), { query: 'select 1\0; drop' })).body.code).toBe('22021')
      expect((await post(endpoint(), { query: 'select $1::text', params: ['a\0b'] })).body.code).toBe('22021')
    })

    test('more parameters than the protocol can count are refused', async () => {
      const params = Array.from({ length: 65_536 }, () => null)
      expect((await post(endpoint(), { query: 'select 1', params })).body).toMatchObject({ code: '08P01' })
    })

    const good = 'postgresql://app%20user:s%40cret!%25@db.example.test/shop'
    test.each<[header: string | null, message: string, code?: string]>([
      [null, 'invalid header: neon-connection-string'],
      ['', 'invalid header: neon-connection-string'],
      ['postgresql://ü@host/db', 'invalid header: neon-connection-string'],
      ['nonsense', 'invalid connection string'],
      ['mysql://u:p@h/db', 'incorrect scheme'],
      ['postgresql://u:p@h', 'missing database name'],
      ['postgresql://h/db', 'missing username'],
      ['postgresql://app%20user@h/shop', 'missing authentication credentials: required password'],
      [good.replace('s%40', 'S%40'), "password authentication failed for user 'app user'", '28P01'],
      [good.replace('!', ''), "password authentication failed for user 'app user'", '28P01'],
      [good.replace('app%20', ''), "password authentication failed for user 'user'", '28P01'],
      [good.replace('/shop', '/other'), "password authentication failed for user 'app user'", '28P01'],
      ['postgresql://%ff:x@h/db', "password authentication failed for user '%ff'", '28P01'],
    ])('connection string %j: %s', async (header, message, code) => {
      const { status, body } = await post(endpoint(), ONE, { 'Neon-Connection-String': header })
      expect(status).toBe(400)
      expect(body).toMatchObject({ message, code: code ?? null })
    })

    test('the host, the port and the parameters of the connection string do not matter', async () => {
      const header = 'postgres://app user:s@cret!%25@elsewhere:1/shop?sslmode=require'
      expect((await post(endpoint(), ONE, { 'Neon-Connection-String': header })).status).toBe(200)
    })

    test('the driver sees a wrong password as 28P01', async () => {
      const sql = neon('postgresql://app%20user:wrong@db.example.test/shop')
      await expect(sql`select 1`).rejects.toMatchObject({ name: 'NeonDbError', code: '28P01' })
    })

    test.each(['serializable', '', 'Chaos'])('isolation level %j is refused', async (level) => {
      const headers = { 'Neon-Batch-Isolation-Level': level }
      const { status, body } = await post(endpoint(), { queries: [ONE] }, headers)
      expect([status, body.message]).toEqual([400, 'invalid isolation level'])
    })

    test('no content type is asked for', async () => {
      expect(
        (await post(endpoint(), ONE, { 'content-type': 'application/x-www-form-urlencoded' })).status,
      ).toBe(200)
    })

    test('rows are objects of values where neither header says otherwise', async () => {
      const headers = { 'Neon-Raw-Text-Output': null, 'Neon-Array-Mode': 'yes' }
      const { body } = await post(endpoint(), { query: 'select 1 as a, true as b' }, headers)
      expect(body).toMatchObject({ rowAsArray: false, rows: [{ a: 1, b: true }] })
    })

    test('a browser may ask from anywhere', async () => {
      const response = await fetch(endpoint().url, { method: 'OPTIONS' })
      expect(response.status).toBe(200)
      expect(response.headers.get('access-control-allow-origin')).toBe('*')
      expect(response.headers.get('access-control-allow-headers')).toContain('Neon-Connection-String')
      expect((await post(endpoint(), ONE)).headers.get('access-control-allow-origin')).toBe('*')
    })

    test.each([
      ['GET', '/sql'],
      ['PUT', '/sql'],
      ['POST', '/sql/more'],
    ])('%s %s is a 400', async (method, path) => {
      const response = await fetch(new URL(path, endpoint().url), { method })
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ message: 'query is not supported' })
    })
  })
}
