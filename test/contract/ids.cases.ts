import { describe, expect, it } from 'vitest'
import { expectProblem } from './expectations.ts'
import { eventually, lines, type Server } from './harness.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = '00f067aa0ba902b7'

const INVALID_IDS: [what: string, id: string][] = [
  ['too long', 'a'.repeat(129)],
  ['very long', 'a'.repeat(4000)],
  ['spaces', 'a b'],
  ['a comma', 'a,b'],
  ['markup', '<script>alert(1)</script>'],
  ['a quote', `a"b`],
  ['a slash', '../etc'],
  ['encoded line breaks', 'a%0d%0aSet-Cookie:b=c'],
  ['unicode', 'caf\xc3\xa9'],
  ['a semicolon', 'a;b'],
  ['colour codes', 'a\x1b[31m'],
  ['empty', ''],
]

const INVALID_TRACES: [what: string, header: string][] = [
  ['no header at all', ''],
  ['version ff', `ff-${TRACE}-${PARENT}-01`],
  ['a zero trace', `00-${'0'.repeat(32)}-${PARENT}-01`],
  ['a zero parent', `00-${TRACE}-${'0'.repeat(16)}-01`],
  ['upper case', `00-${TRACE.toUpperCase()}-${PARENT}-01`],
  ['too short', `00-${TRACE.slice(1)}-${PARENT}-01`],
  ['a fifth part in version 00', `00-${TRACE}-${PARENT}-01-x`],
  ['no flags', `00-${TRACE}-${PARENT}`],
  ['text', 'nonsense'],
  ['two of them', `00-${TRACE}-${PARENT}-01, 00-${TRACE}-${PARENT}-01`],
]

interface Ids {
  correlationId: string
  trace: { traceId: string; spanId: string; flags: string }
}

export const idsCases = (server: () => Server): void => {
  describe('correlation and trace', () => {
    const ids = async (headers: [string, string][]): Promise<Ids> =>
      JSON.parse((await server().raw({ target: '/open/ids', headers })).body)

    it.each(['a', 'A-Za-z0-9_.=-', 'a'.repeat(128), '0f1e2d3c-aaaa-bbbb-cccc-0123456789ab', '=', '..'])(
      "takes the caller's correlation id %s",
      async (id) => {
        const answer = await server().raw({ target: '/open/ids', headers: [['X-Correlation-Id', id]] })
        expect(answer.header('x-correlation-id')).toBe(id)
        expect(JSON.parse(answer.body).correlationId).toBe(id)
        const refused = await server().raw({ target: '/open/none', headers: [['x-correlation-id', id]] })
        expect(expectProblem(refused, 404, 'NOT_FOUND').correlationId).toBe(id)
      },
    )

    it.each(INVALID_IDS)('makes its own instead of one with %s', async (_, id) => {
      const answer = await server().raw({ target: '/open/ids', headers: [['X-Correlation-Id', id]] })
      if (answer.status === 400 && answer.header('x-correlation-id') === undefined) return // the runtime's own refusal
      expect(answer.header('x-correlation-id')).toMatch(/^[A-Za-z0-9_.=-]{1,128}$/)
      expect(answer.header('x-correlation-id')).not.toBe(id)
      expect(answer.header('set-cookie')).toBeUndefined()
      expect(answer.body).not.toContain('script')
    })

    it('makes its own for two different ones', async () => {
      const two: [string, string][] = [
        ['X-Correlation-Id', 'one'],
        ['X-Correlation-Id', 'two'],
      ]
      const answer = await server().raw({ target: '/open/ids', headers: two })
      expect(['one', 'two', 'one, two']).not.toContain(answer.header('x-correlation-id'))
    })

    it('never makes the same one twice', async () => {
      const made = await Promise.all(Array.from({ length: 50 }, () => server().ask('/open/ok')))
      expect(new Set(made.map((answer) => answer.header('x-correlation-id'))).size).toBe(50)
    })

    it.each(['00', '01'])('continues a trace with flags %s', async (flags) => {
      const { trace } = await ids([['traceparent', `00-${TRACE}-${PARENT}-${flags}`]])
      expect(trace).toMatchObject({ traceId: TRACE, flags })
      expect(trace.spanId).toMatch(/^(?!0{16})[0-9a-f]{16}$/)
      expect(trace.spanId).not.toBe(PARENT)
    })

    it('continues a trace of a later version', async () => {
      const { trace } = await ids([['traceparent', `01-${TRACE}-${PARENT}-01-what-the-future-brings`]])
      expect(trace.traceId).toBe(TRACE)
    })

    it.each(INVALID_TRACES)('begins a trace of its own for %s', async (_, header) => {
      const { trace } = await ids(header ? [['traceparent', header]] : [])
      expect(trace.traceId).toMatch(/^(?!0{32})[0-9a-f]{32}$/)
      expect(trace.traceId).not.toBe(TRACE)
      expect(trace.spanId).toMatch(/^(?!0{16})[0-9a-f]{16}$/)
    })

    it.each([
      ['a refusal', '/closed/ok', 401, 'UNAUTHORIZED'],
      ['an error', '/open/throw/error', 500, 'INTERNAL_ERROR'],
      ['a bad target', '/open//x', 400, 'BAD_REQUEST_TARGET'],
    ] as const)('both ids are in %s and in its log line', async (_, target, status, code) => {
      const correlationId = `both-${code}`
      const headers: [string, string][] = [
        ['X-Correlation-Id', correlationId],
        ['traceparent', `00-${TRACE}-${PARENT}-01`],
      ]
      const body = expectProblem(await server().raw({ target, headers }), status, code)
      expect(body).toMatchObject({ correlationId, traceId: TRACE })
      const own = await eventually(
        () => lines(server().process.output()).filter((line) => line.correlationId === correlationId),
        (found) => found.some(({ msg }) => msg === 'request'),
      )
      for (const line of own) expect(line.traceId).toBe(TRACE)
      expect(own.find(({ msg }) => msg === 'request')).toMatchObject({
        status,
        code,
        method: 'GET',
        path: target,
      })
    })
  })
}
