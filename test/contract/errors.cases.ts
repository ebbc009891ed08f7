import { describe, expect, it } from 'vitest'
import type { ErrorCode } from '../../src/parapet.ts'
import { CANARY } from './canary.ts'
import { expectProblem } from './expectations.ts'
import { THROWN_KINDS } from './failing-routes.ts'
import { lines, type Server } from './harness.ts'

const SILENT = 'An unexpected error occurred'

const REFUSED: [kind: string, status: number, code: ErrorCode, detail: string | undefined][] = [
  ['http-401', 401, 'UNAUTHORIZED', 'Log in first.'],
  ['http-403', 403, 'FORBIDDEN', 'Not yours.'],
  ['http-404', 404, 'NOT_FOUND', 'No such thing.'],
  ['http-418', 418, 'BAD_REQUEST', 'Short and stout.'],
  ['http-429', 429, 'RATE_LIMITED', 'Slow down.'],
  ['conflict', 409, 'CONFLICT', 'Taken.'],
  ['validation', 422, 'VALIDATION_FAILED', undefined],
  ['database', 503, 'DATABASE_UNAVAILABLE', undefined],
]

export const errorsCases = (server: () => Server): void => {
  describe('errors', () => {
    const expectSilent = async (path: string) => {
      const answer = await server().ask(`${path}?token=${CANARY}`)
      const body = expectProblem(answer, 500, 'INTERNAL_ERROR', { path })
      expect(body.detail).toBe(SILENT)
      expect(answer.body).not.toMatch(/canary|\.ts|node_modules|\n\s+at /i)
      expect((await server().ask('/open/ok')).status).toBe(200)
    }

    it.each(THROWN_KINDS)('says nothing of what was thrown: %s', async (kind) => {
      await expectSilent(`/open/throw/${kind}`)
      await expectSilent(`/open/reject/${kind}`)
    })

    it.each(['circular', 'bad-header', 'bad-status', 'nothing'])(
      'says nothing of an answer that cannot be sent: %s',
      (what) => expectSilent(`/open/${what}`),
    )

    it.each(['at-once', 'soon', 'on-pull', 'null-on-pull'])(
      'a stream that breaks before its first byte is an error like any other: %s',
      (kind) => expectSilent(`/open/stream/${kind}`),
    )

    it('and so is one that says it is JSON', () => expectSilent('/open/json-stream'))

    it('a stream that breaks later is cut off, so that nobody takes it for whole', async () => {
      const answer = await server().raw({ target: '/open/stream/after-first' })
      expect(answer.status).toBe(200)
      expect(answer.complete).toBe(false)
      expect(answer.body).toBe('first')
      expect((await server().ask('/open/ok')).status).toBe(200)
    })

    it.each(REFUSED)('a route refuses in its own words: %s', async (kind, status, code, detail) => {
      const body = expectProblem(await server().ask(`/open/refuse/${kind}`), status, code)
      if (detail) expect(body.detail).toBe(detail)
      expect(JSON.stringify(body)).not.toContain('canary')
    })

    it('a list of what is not valid comes with 422', async () => {
      const body = expectProblem(await server().ask('/open/refuse/validation'), 422, 'VALIDATION_FAILED')
      expect(body.errors).toEqual([{ path: 'a.b', code: 'too_big', message: 'Too big' }])
    })

    it.each(['never', 'too-slow-to-fail'])('gives a request up in time: %s', async (what) => {
      const began = performance.now()
      const answer = await server().ask(`/open/${what}`)
      expectProblem(answer, 503, 'REQUEST_TIMEOUT')
      expect(answer.header('retry-after')).toMatch(/^[1-9]\d*$/)
      expect(performance.now() - began).toBeLessThan(2000)
    })

    it('fails for HEAD as for GET, without a body', async () => {
      const answer = await server().raw({ method: 'HEAD', target: '/open/throw/error' })
      expect(answer.status).toBe(500)
      expect(answer.body).toBe('')
      expect(answer.header('content-type')).toBe('application/problem+json')
    })

    it('outlives what is rejected when nobody waits any more', async () => {
      expect((await server().ask('/open/late')).status).toBe(200)
      for (let i = 0; i < 5; i++) expect((await server().ask('/open/ok')).status).toBe(200)
    })

    it('outlives a hundred failures at once', async () => {
      const kinds = Array.from({ length: 100 }, (_, i) => THROWN_KINDS[i % THROWN_KINDS.length])
      const answers = await Promise.all(kinds.map((kind) => server().ask(`/open/throw/${kind}`)))
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([500]))
      expect((await server().ask('/open/ok')).status).toBe(200)
    })

    it('says in the log of what kind an error was, and nothing more', async () => {
      const headers = { 'x-correlation-id': 'an-error-of-its-own' }
      await server().ask('/open/throw/error-with-cause', { headers })
      await expect
        .poll(() =>
          lines(server().process.output()).find(
            ({ msg, correlationId }) =>
              msg === 'unhandled error' && correlationId === headers['x-correlation-id'],
          ),
        )
        .toMatchObject({
          level: 'error',
          category: 'http',
          path: '/open/throw/error-with-cause',
          err: { type: 'Error' },
        })
    })

    it('prints nothing beside its log lines', ({ skip }) => {
      skip(server().runtime === 'workerd', 'workerd itself prints the error of a stream that is cut off')
      const beside = server()
        .process.output()
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('{'))
      expect(beside).toEqual([])
    })
  })
}
