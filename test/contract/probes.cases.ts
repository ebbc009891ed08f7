import { describe, expect, it } from 'vitest'
import { expectGuarded, expectProblem } from './expectations.ts'
import { bearer, eventually, type Server } from './harness.ts'

const LIVENESS = ['/health', '/livez']
const READINESS = ['/health/ready', '/readyz']
const PROBES = [...LIVENESS, ...READINESS]

export const probesCases = (server: () => Server): void => {
  describe('probes', () => {
    it.each(LIVENESS)('liveness: %s', async (path) => {
      const answer = await server().ask(path)
      expect(answer.status).toBe(200)
      expect(answer.header('content-type')).toMatch(/^application\/json/)
      const body = JSON.parse(answer.body)
      expect(Object.keys(body).sort()).toEqual(['status', 'timestamp'])
      expect(body.status).toBe('ok')
      expect(Math.abs(Date.now() - Date.parse(body.timestamp))).toBeLessThan(60_000)
    })

    it.each(READINESS)('readiness: %s', async (path) => {
      const answer = await server().ask(path)
      expect(answer.status).toBe(200)
      const body = JSON.parse(answer.body)
      expect(body).toMatchObject({ ready: true, status: 'ok', timestamp: expect.any(String) })
      expect(body.checks).toContainEqual({ name: 'config', status: 'ok', critical: true })
      // Without a Redis limits are per instance: shown, and no more than that.
      expect(body.checks).toContainEqual({ name: 'redis', status: 'info', critical: false })
    })

    it('liveness is answered in no time', async () => {
      await server().ask('/livez')
      const times: number[] = []
      for (let i = 0; i < 20; i++) {
        const began = performance.now()
        await server().ask('/livez')
        times.push(performance.now() - began)
      }
      expect(times.sort((a, b) => a - b)[10]).toBeLessThan(50)
    })

    it.each(PROBES)('%s answers HEAD without a body, and a query changes nothing', async (path) => {
      const head = await server().ask(path, { method: 'HEAD' })
      expect(head.status).toBe(200)
      expect(head.body).toBe('')
      expectGuarded(head)
      for (const query of ['?', '?a=b', '?/../x', '?path=/open/ok', '?%zz', '?verbose&format=html']) {
        const answer = await server().raw({ target: `${path}${query}` })
        expect(answer.status).toBe(200)
        expect(Object.keys(JSON.parse(answer.body))).toContain('status')
      }
    })

    it.each(PROBES)('%s takes no other method', async (path) => {
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
        const answer = await server().ask(path, { method })
        expectProblem(answer, 405, 'METHOD_NOT_ALLOWED', { path })
        expect(answer.header('allow')).toBe('GET, HEAD')
        expect(answer.header('cache-control')).toContain('no-store')
      }
    })

    it.each(PROBES)('%s asks nobody who they are, and is JSON for a browser too', async (path) => {
      for (const headers of [bearer('wrong'), { accept: 'text/html' }, { 'x-api-key': '' }]) {
        const answer = await server().ask(path, { headers: headers as HeadersInit })
        expect(answer.status).toBe(200)
        expect(answer.header('content-type')).toMatch(/^application\/json/)
      }
    })

    it.each(PROBES)('%s tells a stranger with a wrong token what it tells one without', async (path) => {
      const said = ({ body }: { body: string }) => body.replace(/"timestamp":"[^"]+"/, '')
      const none = await server().ask(path)
      expect(said(await server().ask(path, { headers: bearer('wrong') }))).toBe(said(none))
    })

    it('readiness tells an operator more', async () => {
      const { checks } = JSON.parse((await server().ask('/readyz', { headers: bearer() })).body)
      expect(checks[0].latencyMs).toBeGreaterThanOrEqual(0)
      const stranger = JSON.parse((await server().ask('/readyz')).body)
      expect(Object.keys(stranger.checks[0]).sort()).toEqual(['critical', 'name', 'status'])
    })

    it.each(['/HEALTH', '/healthz/x', '/livez/x', '/health/x', '/livez.json', '/livez%20'])(
      '%s is none',
      async (path) => {
        expect((await server().ask(path)).status).toBe(404)
      },
    )

    it('are not in the log of requests', async () => {
      const asked = 'a-request-after-a-probe'
      for (const path of PROBES)
        await server().ask(path, { headers: { 'x-correlation-id': 'a-quiet-probe' } })
      await server().ask('/open/ok', { headers: { 'x-correlation-id': asked } })
      const output = await eventually(server().process.output, (text) => text.includes(asked))
      expect(output).not.toContain('a-quiet-probe')
    })
  })
}
