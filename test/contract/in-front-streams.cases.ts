import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { BODY_LIMIT } from './body.cases.ts'
import { expectGuarded, expectProblem } from './expectations.ts'
import { arrivedDuring, type FakeOrigin } from './fake-origin.ts'
import type { Server } from './harness.ts'
import { openRaw, rawRequest } from './raw-http.ts'

const WEBSOCKET: [string, string][] = [
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
  ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
  ['Sec-WebSocket-Version', '13'],
]

/** What lasts, and what breaks: bodies in pieces, origins that fail, callers who leave, WebSockets. */
export const inFrontStreamsCases = (server: () => Server, origin: () => FakeOrigin): void => {
  describe('streams and failures', () => {
    it('streams a body there: the first piece arrives before the last is sent', async () => {
      const connection = await openRaw(server().port)
      const headers: [string, string][] = [['Transfer-Encoding', 'chunked']]
      const first = once(origin().events, 'chunk')
      connection.write(rawRequest(server().port, { method: 'POST', target: '/upload', headers }))
      connection.write('5\r\nfirst\r\n')
      expect((await first)[0]).toBe('first')
      connection.write('4\r\nlast\r\n0\r\n\r\n')
      expect(JSON.parse((await connection.answer()).body)).toEqual({ bytes: 9 })
    })

    it('and back', async () => {
      const held = once(origin().events, 'held') as Promise<[ServerResponse]>
      const connection = await openRaw(server().port)
      connection.write(rawRequest(server().port, { target: '/hang-after-headers' }))
      await connection.seen('first,')
      // The time for the beginning of an answer is no time for its end.
      await new Promise((resolve) => setTimeout(resolve, 400))
      const [response] = await held
      response.end('last')
      const answer = await connection.answer()
      expect(answer.body).toBe('first,last')
      expect(answer.complete).toBe(true)
    })

    it('refuses a body that is too large: 413, whoever reads it', async () => {
      const arrived = await arrivedDuring(origin(), async () => {
        const answer = await server().ask('/upload', { method: 'POST', body: 'x'.repeat(BODY_LIMIT + 1) })
        expectProblem(answer, 413, 'PAYLOAD_TOO_LARGE')
      })
      expect(arrived).toEqual([])
      const pieces = `4000\r\n${'x'.repeat(0x4000)}\r\n`.repeat(5)
      const headers: [string, string][] = [['Transfer-Encoding', 'chunked']]
      const body = `${pieces}0\r\n\r\n`
      const answer = await server().raw({ method: 'POST', target: '/upload', headers, body })
      expectProblem(answer, 413, 'PAYLOAD_TOO_LARGE')
    })

    it('an origin that hangs: 504, and it is told to stop', async () => {
      const gone = once(origin().events, 'gone')
      const began = performance.now()
      expectProblem(await server().ask('/hang'), 504, 'ORIGIN_TIMEOUT')
      expect(performance.now() - began).toBeLessThan(1500)
      await gone
    })

    it.each(['/reset', '/garbage'])('an origin that breaks off: 502 for %s', async (path) => {
      const answer = await server().ask(path)
      expectProblem(answer, 502, 'ORIGIN_UNREACHABLE', { path })
      expect(answer.body).not.toMatch(/127\.0\.0\.1|ECONN|base/)
    })

    it.each(['/huge-headers', '/odd-status', '/low-status', '/bad-length'])(
      'an origin that answers what is no answer does no harm: %s',
      async (path) => {
        const answer = await server().raw({ target: path })
        expect(answer.status).toBeGreaterThanOrEqual(200)
        expect(answer.status).toBeLessThan(600)
        expectGuarded(answer)
        if (answer.status === 502) expectProblem(answer, 502, 'ORIGIN_UNREACHABLE')
        expect((await server().ask('/things')).status).toBe(200)
      },
    )

    it('early hints are no answer yet', async () => {
      expect((await server().ask('/hints')).body).toBe('after hints')
    })

    it('an origin that breaks off in the middle: cut, so that nobody takes it for whole', async () => {
      const held = once(origin().events, 'held') as Promise<[ServerResponse]>
      const connection = await openRaw(server().port)
      connection.write(rawRequest(server().port, { target: '/half-json' }))
      await connection.seen('{"first":')
      const [response] = await held
      response.socket?.resetAndDestroy()
      expect((await connection.answer()).complete).toBe(false)
      expect((await server().ask('/things')).status).toBe(200)
    })

    it('a caller who goes away is gone for the origin too', async () => {
      const held = once(origin().events, 'held') as Promise<[ServerResponse]>
      const gone = once(origin().events, 'gone')
      const connection = await openRaw(server().port)
      connection.write(rawRequest(server().port, { target: '/hang-after-headers' }))
      const [response] = await held
      await connection.seen('first,')
      connection.destroy()
      // workerd notices only when it has something to send.
      const more = setInterval(() => server().runtime === 'workerd' && response.write('more,'), 10)
      await gone.finally(() => clearInterval(more))
    })

    it('a WebSocket is passed on workerd, and refused elsewhere', async () => {
      if (server().runtime !== 'workerd') {
        const arrived = await arrivedDuring(origin(), async () => {
          const answer = await server().raw({ target: '/socket', headers: WEBSOCKET })
          expectProblem(answer, 501, 'UPGRADE_NOT_SUPPORTED')
        })
        return void expect(arrived).toEqual([])
      }
      const socket = new WebSocket(`ws://127.0.0.1:${server().port}/socket?a=b`)
      const opened = Promise.withResolvers<void>()
      const heard = Promise.withResolvers<unknown>()
      socket.onopen = () => opened.resolve()
      socket.onerror = () => opened.reject(new Error('the socket was refused'))
      socket.onmessage = ({ data }) => heard.resolve(data)
      await opened.promise
      socket.send('hello there')
      expect(await heard.promise).toBe('hello there')
      socket.close()
      expect(origin().arrived.at(-1)?.url).toBe('/base/socket?a=b')
    })

    it('a WebSocket to a blocked endpoint reaches nothing', async () => {
      const arrived = await arrivedDuring(origin(), async () => {
        expectProblem(
          await server().raw({ target: '/api/seed', headers: WEBSOCKET }),
          403,
          'ENDPOINT_BLOCKED',
        )
      })
      expect(arrived).toEqual([])
    })
  })
}
