import { describe, expect, it } from 'vitest'
import { CANARY } from './canary.ts'
import { expectGuarded, expectProblem } from './expectations.ts'
import { bearer, type Server } from './harness.ts'

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'

const PAGES: [status: number, path: string, init?: RequestInit][] = [
  [400, '/open//x'],
  [401, '/closed/ok'],
  [403, '/api/seed'],
  [404, '/open/none'],
  [405, '/open/write', { method: 'DELETE' }],
  [413, '/open/bytes', { method: 'POST', body: 'x'.repeat(70_000) }],
  [415, '/open/order', { method: 'POST', body: '{}' }],
  [418, '/open/refuse/http-418'],
  [422, '/open/refuse/validation'],
  [429, '/open/refuse/http-429'],
  [500, '/open/throw/error'],
  [503, '/open/refuse/database'],
]

export const pagesCases = (server: () => Server): void => {
  describe('errors as pages', () => {
    const page = (path: string, init: RequestInit = {}) =>
      server().ask(path, { ...init, headers: { ...init.headers, accept: BROWSER } })

    it.each(PAGES)('%i %s', async (status, path, init) => {
      const answer = await page(path, init)
      expect(answer.status).toBe(status)
      expect(answer.header('content-type')).toMatch(/^text\/html/)
      expectGuarded(answer)
      expect(answer.body).toMatch(/^<!doctype html>/i)
      expect(answer.body).toContain(String(status))
      expect(answer.body).toContain(answer.header('x-correlation-id'))
      expect(answer.body).not.toContain(CANARY)
      if (status === 401) expect(answer.header('www-authenticate')).toMatch(/^Bearer/)
      if (status === 405) expect(answer.header('allow')).toBeDefined()
    })

    it('every style and script on it bears the nonce of its policy, and none other is allowed', async () => {
      const answer = await page('/open/none')
      const policy = answer.header('content-security-policy') ?? ''
      const nonce = policy.match(/'nonce-([A-Za-z0-9+/_=-]{16,})'/)?.[1]
      expect(nonce).toBeDefined()
      expect(policy).toContain("default-src 'none'")
      expect(policy).toContain("frame-ancestors 'none'")
      expect(policy).not.toMatch(/unsafe|\*|https?:/)
      const marked = answer.body.match(/<(?:style|script|link)\b[^>]*>/g) ?? []
      for (const tag of marked) expect(tag).toContain(`nonce="${nonce}"`)
      expect(answer.body).not.toMatch(/\son\w+=|\sstyle=|javascript:/i)
    })

    it('the nonce is a new one each time', async () => {
      const policies = await Promise.all(Array.from({ length: 10 }, () => page('/open/none')))
      expect(new Set(policies.map((answer) => answer.header('content-security-policy'))).size).toBe(10)
    })

    it('nothing of the request stands on it unescaped', async () => {
      const { body } = await page('/open/%3Cscript%3Ealert(1)%3C/script%3E?q=%3Cb%3E')
      expect(body).not.toMatch(/<script|alert\(1\)<|<b>/)
    })

    it.each([
      'application/json',
      '*/*',
      'application/json, text/html',
      'application/problem+json',
      'text/plain',
      '',
    ])('is not for who accepts %s', async (accept) => {
      const headers: [string, string][] = accept ? [['Accept', accept]] : []
      expectProblem(await server().raw({ target: '/open/none', headers }), 404, 'NOT_FOUND')
    })

    it('caches are told that the answer depends on Accept', async () => {
      for (const answer of [await page('/open/none'), await server().ask('/open/none')]) {
        expect(answer.header('vary')?.split(/,\s*/)).toContain('Accept')
      }
    })

    it('a success stays what the route made of it', async () => {
      const answer = await page('/closed/ok', { headers: bearer() })
      expect(answer.header('content-type')).toMatch(/^application\/json/)
    })
  })
}
