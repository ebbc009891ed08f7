import { describe, expect, it } from 'vitest'
import { BODY_LIMIT } from './body.cases.ts'
import type { Server } from './harness.ts'
import { openRaw, rawRequest } from './raw-http.ts'

const KEPT: [string, string] = ['Connection', 'keep-alive']

export const connectionsCases = (server: () => Server): void => {
  describe('connections that are kept', () => {
    const hidden = () => rawRequest(server().port, { target: '/open/ok' })

    it.each([
      ['a handler that does not read it', '/open/unread', 0],
      ['a refusal for credentials', '/closed/write', 0],
      ['a blocked endpoint', '/api/seed', 0],
      ['a bad target', '/open//x', 0],
      ['a method that is not there', '/closed/who', 0],
      ['a failure', '/open/throw/error', 0],
      ['too much of it', '/open/bytes', BODY_LIMIT],
    ])('what stands in a body is never taken for a request: after %s', async (_, target, padding) => {
      const body = `${hidden()}${'x'.repeat(padding)}`
      const connection = await openRaw(server().port)
      const handlers = await server().handlersDuring(async () => {
        const headers: [string, string][] = [KEPT, ['Content-Length', String(body.length)]]
        connection.write(rawRequest(server().port, { method: 'POST', target, headers }))
        connection.write(body)
        // It may come too late, where the connection was closed.
        connection.write(rawRequest(server().port, { target: '/test/hits' }))
        await connection.closed()
      })
      expect(handlers).toBeLessThanOrEqual(1)
      expect(connection.text()).not.toContain('{"ok":true,"method":"GET"}')
    })

    it('requests sent at once are answered in their order, each with its own id', async () => {
      const connection = await openRaw(server().port)
      const ids = ['first', 'second', 'third']
      connection.write(
        ids
          .map((id, at) =>
            rawRequest(server().port, {
              target: at === 1 ? '/open/throw/error' : '/open/ids',
              headers: [['X-Correlation-Id', id], ...(at < 2 ? [KEPT] : [])],
            }),
          )
          .join(''),
      )
      await connection.closed()
      const text = connection.text()
      expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([
        '200',
        '500',
        '200',
      ])
      expect([...text.matchAll(/^x-correlation-id: (\w+)/gim)].map(([, id]) => id)).toEqual(ids)
    })

    it('one connection serves many requests, bad ones among them', async () => {
      const connection = await openRaw(server().port)
      for (const [target, expected] of [
        ['/open/ok', '{"ok":true'],
        ['/open//x', 'BAD_REQUEST_TARGET'],
        ['/open/throw/null', 'INTERNAL_ERROR'],
        ['/closed/ok', 'UNAUTHORIZED'],
        ['/open/ids', 'spanId'],
      ] as const) {
        connection.write(rawRequest(server().port, { target, headers: [KEPT] }))
        await connection.seen(expected)
        expect(connection.text()).toContain(expected)
      }
      connection.destroy()
    })
  })
}
