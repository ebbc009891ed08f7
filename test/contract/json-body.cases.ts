import { describe, expect, it } from 'vitest'
import { CANARY } from './canary.ts'
import { expectProblem } from './expectations.ts'
import type { Server } from './harness.ts'

const MALFORMED: [what: string, body: string][] = [
  ['nothing', ''],
  ['a space', ' '],
  ['half an object', '{'],
  ['a trailing comma', '{"a":1,}'],
  ['single quotes', "{'a':1}"],
  ['no quotes', '{a:1}'],
  ['a word', 'nope'],
  ['NaN', '{"a":NaN}'],
  ['undefined', 'undefined'],
  ['two values', '{}{}'],
  ['a comment', '{/* */}'],
  ['a control character', '"a\nb"'],
  ['a bad escape', '"\\x41"'],
  ['a form', 'a=1&b=2'],
  ['markup', `<x>${CANARY}</x>`],
]

const DEEP: [what: string, body: string][] = [
  ['arrays', '['.repeat(50_000)],
  ['arrays that close', '['.repeat(20_000) + ']'.repeat(20_000)],
  ['objects', '{"a":'.repeat(10_000)],
  ['both', '[{"a":'.repeat(5000)],
  ['just too deep', '['.repeat(1000) + ']'.repeat(1000)],
]

const POLLUTING: [what: string, body: string][] = [
  ['__proto__', '{"__proto__":{"polluted":1}}'],
  ['__proto__ within', '{"a":[{"b":{"__proto__":{"polluted":1}}}]}'],
  ['an escaped __proto__', '{"\\u005f_proto__":{"polluted":1}}'],
  [
    '__proto__ of escapes alone',
    '{"\\u005f\\u005f\\u0070\\u0072\\u006f\\u0074\\u006f\\u005f\\u005f":{"polluted":1}}',
  ],
  ['constructor.prototype', '{"constructor":{"prototype":{"polluted":1}}}'],
  ['constructor.prototype within', '[{"a":{"constructor":{"prototype":{"polluted":1}}}}]'],
  ['an escaped constructor', '{"\\u0063onstructor":{"prototype":{"polluted":1}}}'],
  ['an escaped prototype', '{"constructor":{"\\u0070rototype":{"polluted":1}}}'],
]

const WRONG_TYPES: (string | undefined)[] = [
  undefined,
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/jsonx',
  'application/xml',
  'text/json-ish',
  'json',
  'text/plain; application/json',
]

const RIGHT_TYPES = [
  'application/json',
  'APPLICATION/JSON',
  'application/json; charset=utf-8',
  'application/json;charset=UTF-8',
  'application/merge-patch+json',
]

const INVALID: [what: string, body: unknown, path: string][] = [
  ['a missing value', { lines: [] }, 'quantity'],
  ['a wrong type', { quantity: CANARY, lines: [] }, 'quantity'],
  ['out of range', { quantity: -1, lines: [] }, 'quantity'],
  ['not a whole number', { quantity: 1.5, lines: [] }, 'quantity'],
  ['too many', { quantity: 1, lines: Array(4).fill({ sku: 'ab' }) }, 'lines'],
  ['something within', { quantity: 1, lines: [{ sku: 'ab' }, { sku: 'a' }] }, 'lines.1.sku'],
  ['an unknown key', { quantity: 1, lines: [], extra: CANARY }, ''],
  ['not an object', 'text', ''],
  ['null', null, ''],
  ['a list', [], ''],
]

export const jsonBodyCases = (server: () => Server): void => {
  describe('JSON bodies', () => {
    const post = (path: string, body: string, type: string | undefined = 'application/json') =>
      server().raw({ method: 'POST', target: path, headers: type ? [['Content-Type', type]] : [], body })

    it.each(MALFORMED)('400 for %s', async (_, body) => {
      for (const path of ['/open/json', '/open/order']) {
        const answer = await post(path, body)
        expectProblem(answer, 400, 'INVALID_JSON', { path })
        expect(answer.body).not.toContain(CANARY)
      }
    })

    it.each(DEEP)('400 for depth, soon: %s', async (_, body) => {
      const began = performance.now()
      expectProblem(await post('/open/json', body), 400, 'INVALID_JSON')
      expect(performance.now() - began).toBeLessThan(1000)
      expect((await server().ask('/open/ok')).status).toBe(200)
    })

    it('takes a reasonable depth, and brackets in texts', async () => {
      const deep = `${'['.repeat(30)}1${']'.repeat(30)}`
      expect((await post('/open/json', deep)).status).toBe(200)
      const text = JSON.stringify({ a: `${'[{'.repeat(500)}\\"${'['.repeat(500)}` })
      expect((await post('/open/json', text)).status).toBe(200)
    })

    it.each(POLLUTING)('no prototype is reached by %s', async (_, body) => {
      expectProblem(await post('/open/json', body), 400, 'INVALID_JSON')
      expectProblem(await post('/open/order', body), 400, 'INVALID_JSON')
      expect(JSON.parse((await post('/open/json', '{}')).body)).toEqual({ value: {}, polluted: false })
    })

    it.each([
      '{"a":"__proto__"}',
      '{"a":"constructor.prototype"}',
      '{"prototype":1}',
      '{"a":"\\u005f_proto__"}',
    ])('such words are welcome where they do no harm: %s', async (body) => {
      expect(JSON.parse((await post('/open/json', body)).body)).toEqual({
        value: JSON.parse(body),
        polluted: false,
      })
    })

    it('a form reaches no prototype either', async () => {
      const form = '__proto__=x&__proto__[polluted]=1&constructor[prototype][polluted]=1&a=1'
      const answer = await post('/open/form', form, 'application/x-www-form-urlencoded')
      expect(answer.status).toBe(200)
      expect(JSON.parse((await post('/open/json', '{}')).body).polluted).toBe(false)
    })

    it.each(WRONG_TYPES)('415 for %s', async (type) => {
      expectProblem(
        await post('/open/order', '{"quantity":1,"lines":[]}', type ?? ''),
        415,
        'UNSUPPORTED_MEDIA_TYPE',
      )
    })

    it.each(RIGHT_TYPES)('takes %s', async (type) => {
      const answer = await post('/open/order', '{"quantity":1,"lines":[]}', type)
      expect(answer.status).toBe(201)
      expect(JSON.parse(answer.body)).toEqual({ quantity: 1, lines: [] })
    })

    it.each(INVALID)('422 for %s, and where it is', async (_, value, path) => {
      const answer = await post('/open/order', JSON.stringify(value))
      const { errors } = expectProblem(answer, 422, 'VALIDATION_FAILED')
      expect(errors?.map((issue) => issue.path)).toContain(path)
      for (const issue of errors ?? []) {
        expect(Object.keys(issue).sort()).toEqual(['code', 'message', 'path'])
        expect(issue.code).toMatch(/^[a-z_]+$/)
        expect(issue.message).not.toBe('')
      }
      expect(answer.body).not.toContain(CANARY)
    })

    it('names all that is wrong at once', async () => {
      const answer = await post('/open/order', '{"quantity":0,"lines":[{"sku":"a"},{"sku":""}]}')
      const { errors } = expectProblem(answer, 422, 'VALIDATION_FAILED')
      expect(errors?.map(({ path }) => path)).toEqual(['quantity', 'lines.0.sku', 'lines.1.sku'])
    })
  })
}
