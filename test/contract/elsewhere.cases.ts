import { describe, expect, it } from 'vitest'
import { expectGuarded, expectProblem } from './expectations.ts'
import { bearer, eventually, type Server } from './harness.ts'

/** What is as in production outside of it, and what is not. */
export const elsewhereCases = (server: () => Server): void => {
  describe('outside production', () => {
    it.each([
      ['/open/ok', 200],
      ['/livez', 200],
      ['/open/page', 200],
      ['/closed/ok', 401],
      ['/open/none', 404],
      ['/open/throw/error', 500],
    ])('%s has all headers but HSTS', async (path, status) => {
      const answer = await server().ask(path)
      expect(answer.status).toBe(status)
      expectGuarded(answer, { production: false })
    })

    it('errors say as little as in production', async () => {
      const answer = await server().ask('/open/throw/error-with-cause')
      const body = expectProblem(answer, 500, 'INTERNAL_ERROR', { production: false })
      expect(body.detail).toBe('An unexpected error occurred')
    })

    it('a route asks who it is', async () => {
      expect((await server().ask('/closed/who')).status).toBe(401)
      expect((await server().ask('/closed/who', { headers: bearer() })).status).toBe(200)
    })

    it('log lines are for people', async () => {
      await server().ask('/open/ok?token=not-for-the-log', { headers: { 'x-correlation-id': 'for-people' } })
      const output = await eventually(server().process.output, (text) => text.includes('for-people'))
      expect(output).toMatch(/^\[request\] GET \/open\/ok 200 \d+ms \[for-people\]$/m)
      expect(output).not.toContain('not-for-the-log')
    })

    it('no line break of a request begins a log line of its own', async () => {
      await server().raw({
        target: '/open/path/a%C2%85%5Brequest%5D%20forged',
        headers: [['X-Correlation-Id', 'a-break']],
      })
      const output = await eventually(server().process.output, (text) => text.includes('a-break'))
      expect(output).not.toMatch(/^\[request\] forged/m)
    })
  })
}
