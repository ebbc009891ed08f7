import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { createGuard } from '../../src/answer/guard.ts'
import type { Gate } from '../../src/gates/gate.ts'
import { createLog } from '../../src/log.ts'
import { AppError, createApp } from '../../src/parapet.ts'

const never = () => new Promise<never>(() => {})

/** One request to a guard whose first gate waits to hear how it ended. */
const visit = async (second: Gate, routes: () => Response | Promise<Response>, write = (_: string) => {}) => {
  const ends: number[] = []
  const listening: Gate = ({ afterwards }) => {
    afterwards.push(
      () => {
        throw new TypeError('a listener that fails')
      },
      (status) => void ends.push(status),
    )
    return undefined
  }
  const guard = createGuard({
    gates: [listening, second],
    routes,
    log: createLog({
      sink: write,
      level: 'info',
      format: 'json',
      slowRequestMs: 1000,
      secrets: [],
      pii: true,
    }),
    hsts: false,
    guarded: true,
    timeoutMs: 50,
  })
  const response = await guard(new Request('http://localhost/x'), { waitUntil: () => {} })
  return { status: response.status, ends }
}

const pass: Gate = () => undefined
const ok = () => new Response('ok')

test.each<[what: string, gate: Gate, routes: () => Response | Promise<Response>, status: number]>([
  ['an answer', pass, ok, 200],
  ['a refusal', () => ({ code: 'FORBIDDEN' }), ok, 403],
  ['a refusal later', async () => ({ code: 'FORBIDDEN' }), ok, 403],
  ['an answer of a gate', () => new Response(null, { status: 204 }), ok, 204],
  ['a refusal that cannot be sent', () => ({ code: 'FORBIDDEN', headers: { 'X-A': 'a\nb' } }), ok, 500],
  [
    'a header of a gate that cannot be sent',
    ({ answerHeaders }) => void answerHeaders.push(['X-A', 'a\nb']),
    ok,
    500,
  ],
  [
    'a gate that throws',
    () => {
      throw new Error('x')
    },
    ok,
    500,
  ],
  [
    'a gate that throws nothing',
    () => {
      throw null
    },
    ok,
    500,
  ],
  ['a gate that rejects', () => Promise.reject(new Error('x')), ok, 500],
  ['a gate that never answers', never, ok, 503],
  [
    'a handler that throws',
    pass,
    () => {
      throw new Error('x')
    },
    500,
  ],
  [
    'a handler that refuses',
    pass,
    () => {
      throw new AppError('CONFLICT')
    },
    409,
  ],
  [
    'a handler that refuses with what cannot be sent',
    pass,
    () => {
      throw new AppError('CONFLICT', { headers: { 'X-A': 'a\nb' } })
    },
    500,
  ],
  ['a handler that rejects with nothing', pass, () => Promise.reject(null), 500],
  ['a handler that never answers', pass, never, 503],
  ['a handler that answers nothing', pass, () => undefined as never, 500],
  ['a status that is none', pass, () => ({ status: 999, headers: new Headers(), body: null }) as never, 500],
  [
    'a stream that fails at once',
    pass,
    () =>
      new Response(
        new ReadableStream({
          pull: () => {
            throw new Error('x')
          },
        }),
      ),
    500,
  ],
  ['an error', pass, () => Response.error(), 500],
])('who waits for the end of a visit hears of %s once', async (_, gate, routes, status) => {
  expect(await visit(gate, routes)).toEqual({ status, ends: [status] })
})

test('and where the log fails too', async () => {
  const fail = () => {
    throw new Error('the log is full')
  }
  expect(await visit(pass, fail, fail)).toEqual({ status: 500, ends: [500] })
  expect(await visit(pass, ok, fail)).toEqual({ status: 200, ends: [200] })
})

test('and where the caller has gone away', async () => {
  const ends: number[] = []
  const listening: Gate = ({ afterwards }) => void afterwards.push((status) => ends.push(status))
  const leaving = new AbortController()
  const routes = new Hono().get('/late', async (c) => {
    leaving.abort()
    await new Promise((resolve) => setTimeout(resolve, 10))
    c.req.raw.signal.throwIfAborted()
    return c.text('late')
  })
  const app = createApp({ routes, open: ['/*'], gates: [listening] })
  app.boot({ NODE_ENV: 'test' }, { runtime: 'node', write: () => {} })
  await app.fetch(new Request('http://localhost/late', { signal: leaving.signal }), { waitUntil: () => {} })
  expect(ends).toEqual([500])
})
