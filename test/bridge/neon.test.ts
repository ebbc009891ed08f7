import { neon, neonConfig } from '@neondatabase/serverless'
import { describe, expect, test } from 'vitest'
import { acceptsOnly } from '../../bridge/sql/accepts-only.ts'
import { isCopy } from '../../bridge/sql/is-copy.ts'
import { createNeonHandler, type NeonHandlerOptions } from '../../bridge/sql/neon.ts'
import { paramText } from '../../bridge/sql/param-text.ts'
import type { SqlOutcome, SqlRequest } from '../../bridge/sql/sql-engine.ts'
import { sqlError } from '../../bridge/sql/sql-error.ts'
import { textToJson } from '../../bridge/sql/text-to-json.ts'

const CONNECTION = 'postgres://app:hunter2@db.example.test/shop'

/** A handler over an engine that answers as told and keeps what it was asked. */
function stub(outcome: () => SqlOutcome | Promise<SqlOutcome>, options: Partial<NeonHandlerOptions> = {}) {
  const asked: SqlRequest[] = []
  const reported: unknown[] = []
  const handler = createNeonHandler({
    engine: {
      run: async (request) => {
        asked.push(request)
        return await outcome()
      },
      close: async () => {},
    },
    accepts: acceptsOnly(CONNECTION),
    report: (failure) => reported.push(failure),
    ...options,
  })
  const ask = (body: BodyInit, init: RequestInit = {}) =>
    handler(
      new Request('http://bridge/sql', {
        method: 'POST',
        body,
        headers: { 'Neon-Connection-String': CONNECTION },
        ...init,
      }),
    )
  return { handler, ask, asked, reported }
}

const ONE = '{"query":"select 1"}'
const nothing = (): SqlOutcome => ({
  kind: 'results',
  results: [{ command: '', rowCount: null, fields: [], rows: [] }],
})

describe('createNeonHandler', () => {
  test('a defect of the engine is a 500 that says nothing, and is reported', async () => {
    const defect = new Error(`cannot use ${CONNECTION}`)
    const { ask, reported } = stub(() => Promise.reject(defect))
    const response = await ask(ONE)
    expect(response.status).toBe(500)
    const text = await response.text()
    expect(JSON.parse(text)).toMatchObject({ message: 'internal error', code: 'XX000' })
    expect(text).not.toMatch(/hunter2|example/)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(reported).toEqual([defect])
  })

  test('why Postgres could not be reached is reported, not answered', async () => {
    const cause = new Error('connect ECONNREFUSED 10.1.2.3:5432')
    const error = sqlError({ message: "Couldn't connect to compute node", code: '08001' })
    const { handler, ask, reported } = stub(() => ({ kind: 'error', error, cause }))
    const response = await ask(ONE)
    expect(response.status).toBe(400)
    expect(await response.text()).not.toContain('10.1.2.3')
    expect(reported).toEqual([cause])
    neonConfig.fetchFunction = (url: string, init: RequestInit) => handler(new Request(url, init))
    await expect(neon(CONNECTION)`select 1`).rejects.toMatchObject({ name: 'NeonDbError', code: '08001' })
    neonConfig.fetchFunction = undefined
  })

  test('credentials are checked before the body is read', async () => {
    const { handler, asked } = stub(nothing)
    let pulled = 0
    const pull = () => {
      pulled += 1
    }
    const body = new ReadableStream({ pull }, { highWaterMark: 0 })
    const request = new Request('http://bridge/sql', { method: 'POST', body, duplex: 'half' } as RequestInit)
    expect((await handler(request)).status).toBe(400)
    expect([pulled, asked]).toEqual([0, []])
  })

  test('a body without a length is counted as it comes, and not read to its end', async () => {
    const { ask, asked } = stub(nothing, { maxRequestBytes: 10_000 })
    let pulled = 0
    const body = new ReadableStream({
      pull(controller) {
        pulled += 1
        controller.enqueue(new Uint8Array(1000).fill(32))
      },
    })
    const response = await ask(body, { duplex: 'half' } as RequestInit)
    expect(response.status).toBe(413)
    expect(pulled).toBeLessThan(15)
    expect(asked).toEqual([])
  })

  test('a body that breaks off is a 400', async () => {
    const { ask, reported } = stub(nothing)
    const body = new ReadableStream({ pull: (controller) => controller.error(new Error('reset')) })
    expect((await ask(body, { duplex: 'half' } as RequestInit)).status).toBe(400)
    expect(reported).toEqual([])
  })

  test('the engine learns of the limit and of the caller going away', async () => {
    const { ask, asked } = stub(nothing, { maxResponseBytes: 5000 })
    const gone = new AbortController()
    await ask(ONE, { signal: gone.signal })
    gone.abort()
    expect(asked[0]).toMatchObject({ maxChars: 5000, signal: { aborted: true } })
    expect(asked[0]).not.toHaveProperty('transaction')
  })

  test('names of columns cannot break the JSON', async () => {
    const field = { tableID: 0, columnID: 0, dataTypeID: 25, dataTypeSize: -1, dataTypeModifier: -1 }
    const fields = [
      { name: '"},{"', ...field },
      { name: '__proto__', ...field },
    ]
    const result = { command: 'SELECT', rowCount: 1, fields, rows: [['a', '\u2028"']] }
    const { ask } = stub(() => ({ kind: 'results', results: [result] }))
    const text = await (await ask(ONE)).text()
    expect(JSON.parse(text).fields.map(({ name }: { name: string }) => name)).toEqual(['"},{"', '__proto__'])
    expect(text).toContain('[{"\\"},{\\"":"a","__proto__":"\u2028\\""}]')
  })
})

describe('acceptsOnly', () => {
  const url = (text: string) => new URL(text)

  test('a server without passwords is reached without one, and by nobody else', () => {
    const accepts = acceptsOnly('postgres://postgres@127.0.0.1/test')
    expect(accepts(url('postgres://postgres@anywhere/test'))).toBe(true)
    expect(accepts(url('postgres://postgres:x@anywhere/test'))).toBe(false)
    expect(accepts(url('postgres://other@anywhere/test'))).toBe(false)
  })

  test.each(['', 'hunter', 'hunter22', 'hunter2hunter2', 'HUNTER2', 'hunter%32x'])(
    'password %j is wrong',
    (password) => {
      expect(acceptsOnly(CONNECTION)(url(`postgres://app:${password}@h/shop`))).toBe(false)
    },
  )

  test('what is no URL is refused without being quoted', () => {
    expect(() => acceptsOnly('hunter2')).toThrow(/^acceptsOnly: the connection string is not a URL$/)
  })
})

describe('isCopy', () => {
  test.each([
    'copy t to stdout',
    ' \n\tCOPY t FROM stdin',
    ';;copy t to stdout',
    '--x\r\ncopy(select 1) to stdout',
    '/*/**/*/copy t from stdin',
    '-- a\n/* -- */ ; --b\n CoPy t to stdout',
  ])('%j is', (text) => expect(isCopy(text)).toBe(true))
  test.each([
    '',
    'select 1',
    "select 'copy'",
    'copying',
    'copy_all()',
    '-- copy t',
    '/* copy */ select 1',
    '/* open',
    '"copy"',
    '--copy t\nselect 1',
    '/*/* */ copy t to stdout',
  ])('%j is not', (text) => expect(isCopy(text)).toBe(false))
  test('takes no longer on hostile comments', () => {
    expect(isCopy(`${'--\n'.repeat(500_000)}${'/*'.repeat(500_000)}`)).toBe(false)
  })
})

describe('values', () => {
  test('a document keeps its digits, its order and its doubles', () => {
    const text = '{"n":12345678901234567890.10,"b":1,"a":2,"b":3}'
    expect(textToJson(text, 114)).toBe(text)
    expect(textToJson(`{"${text.replaceAll('"', '\\"')}"}`, 199)).toBe(`[${text}]`)
  })

  test('arrays of types that are not built in stay text', () => {
    expect(textToJson('{a,b}', 123_456)).toBe('"{a,b}"')
  })

  test('an array parameter escapes what Postgres would read, and nothing else', () => {
    expect(paramText(['a\n"\\', null, 'NULL', '', [1, true], { k: '"' }])).toBe(
      '{"a\n\\"\\\\",NULL,"NULL","",{1,true},"{\\"k\\":\\"\\\\\\"\\"}"}',
    )
  })
})
