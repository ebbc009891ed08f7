import { describe, expect, it } from 'vitest'
import { expectProblem } from './expectations.ts'
import type { Answer, Server } from './harness.ts'
import { openRaw, rawRequest } from './raw-http.ts'

/** As the environment of the server under test says. */
export const BODY_LIMIT = 65_536

const chunk = (size: number) => `${size.toString(16)}\r\n${'x'.repeat(size)}\r\n`
/** A body in pieces of at most 16 KiB, as a sender would stream it. */
const chunked = (size: number): string => {
  const pieces: string[] = []
  for (let left = size; left > 0; left -= 16_384) pieces.push(chunk(Math.min(left, 16_384)))
  return `${pieces.join('')}0\r\n\r\n`
}
const CHUNKED: [string, string] = ['Transfer-Encoding', 'chunked']

export const bodyCases = (server: () => Server): void => {
  describe('body limit', () => {
    const post = (target: string, body: string, headers: [string, string][] = []) =>
      server().raw({ method: 'POST', target, headers, body })
    const expectTooLarge = (answer: Answer) => expectProblem(answer, 413, 'PAYLOAD_TOO_LARGE')
    const alive = async () => expect((await server().ask('/open/ok')).status).toBe(200)

    it.each([0, 1, BODY_LIMIT - 1, BODY_LIMIT])(
      'takes %i bytes, with a length and in chunks',
      async (size) => {
        for (const answer of [
          await post('/open/bytes', 'x'.repeat(size)),
          await post('/open/bytes', chunked(size), [CHUNKED]),
        ]) {
          expect(answer.status, answer.body).toBe(200)
          expect(JSON.parse(answer.body)).toEqual({ bytes: size })
        }
      },
    )

    it.each([BODY_LIMIT + 1, BODY_LIMIT * 40])('refuses %i bytes that say so', async (size) => {
      expectTooLarge(await server().ask('/open/bytes', { method: 'POST', body: 'x'.repeat(size) }))
      await alive()
    })

    it.each(['/open/bytes', '/open/text', '/open/swallow'])(
      'refuses one byte too many while it streams, and waits for no end: %s',
      async (target) => {
        const connection = await openRaw(server().port)
        connection.write(rawRequest(server().port, { method: 'POST', target, headers: [CHUNKED] }))
        for (let left = BODY_LIMIT + 1; left > 0; left -= 16_384)
          connection.write(chunk(Math.min(left, 16_384)))
        expectTooLarge(await connection.answer())
        await alive()
      },
    )

    it.each(['PUT', 'PATCH', 'DELETE'])('for %s as well', async (method) => {
      const body = 'x'.repeat(BODY_LIMIT + 1)
      expectTooLarge(await server().ask('/open/bytes', { method, body }))
      expectTooLarge(
        await server().raw({
          method,
          target: '/open/bytes',
          headers: [CHUNKED],
          body: chunked(BODY_LIMIT + 1),
        }),
      )
    })

    it.each([
      '/open/unread',
      '/open/swallow',
      '/open/first-chunk',
      '/open/json',
      '/open/none',
      '/open/write',
    ])('refuses what says that it is too large before anyone reads it: %s', async (target) => {
      const connection = await openRaw(server().port)
      const headers: [string, string][] = [['Content-Length', String(BODY_LIMIT + 1)]]
      const handlers = await server().handlersDuring(async () => {
        connection.write(rawRequest(server().port, { method: 'POST', target, headers }))
        expectTooLarge(await connection.answer())
      })
      expect(handlers).toBe(0)
    })

    it.each(['/open/swallow', '/open/swallow-json', '/open/text', '/open/form', '/open/order'])(
      'refuses what turns out too large though the handler swallows the failure: %s',
      async (target) => {
        const headers: [string, string][] = [CHUNKED, ['Content-Type', typeFor(target)]]
        expectTooLarge(await post(target, chunked(BODY_LIMIT + 1), headers))
        await alive()
      },
    )

    it('what nobody reads does no harm', async () => {
      const answer = await post('/open/unread', chunked(BODY_LIMIT * 4), [CHUNKED])
      expect([200, 413]).toContain(answer.status)
      await alive()
    })

    it('what is only begun to be read does no harm', async () => {
      const answer = await post('/open/first-chunk', chunked(BODY_LIMIT * 4), [CHUNKED])
      expect([200, 413]).toContain(answer.status)
      await alive()
    })

    it('streams back what is within the limit', async () => {
      const answer = await post('/open/stream-back', chunked(40_000), [CHUNKED])
      expect(answer.status).toBe(200)
      expect(answer.body).toBe('x'.repeat(40_000))
    })

    it('never streams more than the limit back', async () => {
      const answer = await post('/open/stream-back', chunked(BODY_LIMIT * 4), [CHUNKED])
      expect(answer.body.length).toBeLessThanOrEqual(BODY_LIMIT)
      expect(answer.status === 413 || !answer.complete).toBe(true)
      await alive()
    })

    it('reads no more than a length that is too small', async () => {
      const connection = await openRaw(server().port)
      const headers: [string, string][] = [['Content-Length', '10']]
      connection.write(rawRequest(server().port, { method: 'POST', target: '/open/bytes', headers }))
      connection.write('x'.repeat(BODY_LIMIT + 1))
      const answer = await connection.answer()
      // What stands behind the length is a broken request of its own.
      if (answer.status !== 400) expect(JSON.parse(answer.body)).toEqual({ bytes: 10 })
      await alive()
    })

    it('outlives who promises more than they send', async () => {
      const connection = await openRaw(server().port)
      const headers: [string, string][] = [['Content-Length', '1000']]
      const { held } = await server().hits()
      connection.write(rawRequest(server().port, { method: 'POST', target: '/open/hold', headers }))
      connection.write('x'.repeat(10))
      await expect.poll(async () => (await server().hits()).held).toBe(held + 1)
      connection.destroy()
      for (let i = 0; i < 5; i++) await alive()
    })

    it.each(['99999999999999999999', '9007199254740993'])('refuses a length of %s', async (length) => {
      const answer = await server().raw({
        method: 'POST',
        target: '/open/bytes',
        headers: [['Content-Length', length]],
        body: 'x',
      })
      expect([400, 413]).toContain(answer.status)
      await alive()
    })

    it.each([
      ['a size that is none', 'zz\r\nab\r\n0\r\n\r\n'],
      ['a chunk longer than its size', '1\r\nabc\r\n0\r\n\r\n'],
    ])('bad chunks are bad input, never our failure: %s', async (_, body) => {
      const answer = await post('/open/text', body, [CHUNKED])
      expect(answer.status, answer.body).toBe(400)
      await alive()
    })

    it.each(['GET', 'HEAD'])('lets no larger body in by %s', async (method) => {
      const size = BODY_LIMIT + 1
      for (const [headers, body] of [
        [[], 'x'.repeat(size)],
        [[CHUNKED], chunked(size)],
      ] as const) {
        const answer = await server().raw({ method, target: '/open/bytes', headers, body })
        if (answer.status === 200 && method === 'GET') {
          expect(JSON.parse(answer.body).bytes).toBeLessThanOrEqual(BODY_LIMIT)
        } else expect([200, 400, 413]).toContain(answer.status)
      }
      await alive()
    })

    it('answers a length and chunks at once with one reading', async () => {
      const headers: [string, string][] = [['Content-Length', '5'], CHUNKED]
      const answer = await post('/open/bytes', '0\r\n\r\n', headers)
      // workerd goes by the chunks, as RFC 9112 section 6.3 allows; the others refuse.
      expect(answer.status).toBe(server().runtime === 'workerd' ? 200 : 400)
      if (answer.status === 200) expect(JSON.parse(answer.body)).toEqual({ bytes: 0 })
    })
  })
}

const typeFor = (target: string): string =>
  target === '/open/form' ? 'application/x-www-form-urlencoded' : 'application/json'
