import { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { AppError } from '../../src/parapet.ts'
import { CANARY } from './canary.ts'

const throwing = (): never => {
  throw new Error(CANARY)
}

/** Everything a handler can throw, by name. Errors hold the canary wherever text can hide. */
const THROWN: Record<string, () => unknown> = {
  string: () => CANARY,
  empty: () => '',
  null: () => null,
  undefined: () => undefined,
  number: () => 404,
  symbol: () => Symbol(CANARY),
  function: () => throwing,
  object: () => ({ message: CANARY, status: 200, code: CANARY }),
  response: () => new Response(CANARY, { status: 200 }),
  'getter-message': () => Object.defineProperty({}, 'message', { get: throwing }),
  'getter-stack': () => Object.defineProperty(new Error(CANARY), 'stack', { get: throwing }),
  'getter-name': () => Object.defineProperty(new Error(CANARY), 'name', { get: throwing }),
  'getter-cause': () => Object.defineProperty(new Error(CANARY), 'cause', { get: throwing }),
  'getter-status': () => Object.defineProperty(new Error(CANARY), 'status', { get: throwing }),
  'throwing-to-string': () => ({ toString: throwing, [Symbol.toPrimitive]: throwing }),
  'throwing-prototype': () => new Proxy({}, { getPrototypeOf: throwing, get: throwing, has: throwing }),
  error: () => new Error(CANARY),
  'error-with-name': () => Object.assign(new Error('x'), { name: `DROP ${CANARY}` }),
  'error-with-code': () => Object.assign(new Error('x'), { code: `SELECT '${CANARY}'` }),
  'error-with-cause': () => new Error(CANARY, { cause: new Error(CANARY, { cause: CANARY }) }),
  'error-with-stack': () => Object.assign(new Error('x'), { stack: `at ${CANARY}.ts:1\n    at ${CANARY}` }),
  'error-with-status': () => Object.assign(new Error(CANARY), { status: 200, statusCode: 200 }),
  'error-with-response': () =>
    Object.assign(new Error(CANARY), { getResponse: () => new Response(CANARY, { status: 200 }) }),
  aggregate: () => new AggregateError([new Error(CANARY)], CANARY),
  'type-error': () => new TypeError(CANARY),
  abort: () => new DOMException(CANARY, 'AbortError'),
  cyclic: () => {
    const error = new Error(CANARY)
    error.cause = error
    return error
  },
  'http-500': () => new HTTPException(500, { message: CANARY, cause: CANARY }),
  'http-503': () => new HTTPException(503, { message: CANARY }),
  'http-500-response': () => new HTTPException(500, { res: new Response(CANARY, { status: 500 }) }),
}
export const THROWN_KINDS = Object.keys(THROWN)

/** Refusals that a handler throws on purpose, by name. */
const REFUSED: Record<string, () => Error> = {
  'http-401': () => new HTTPException(401, { message: 'Log in first.' }),
  'http-403': () => new HTTPException(403, { message: 'Not yours.' }),
  'http-404': () => new HTTPException(404, { message: 'No such thing.' }),
  'http-418': () => new HTTPException(418, { message: 'Short and stout.' }),
  'http-429': () => new HTTPException(429, { message: 'Slow down.' }),
  conflict: () => new AppError('CONFLICT', { detail: 'Taken.', cause: new Error(CANARY) }),
  validation: () =>
    new AppError('VALIDATION_FAILED', { errors: [{ path: 'a.b', code: 'too_big', message: 'Too big' }] }),
  database: () => new AppError('DATABASE_UNAVAILABLE', { headers: { 'Retry-After': '30' } }),
}

const broken = (milliseconds: number, first?: string) =>
  new ReadableStream<Uint8Array>({
    async start(controller) {
      if (first) controller.enqueue(new TextEncoder().encode(first))
      if (milliseconds > 0) await new Promise((resolve) => setTimeout(resolve, milliseconds))
      controller.error(new Error(CANARY))
    },
  })

const STREAMS: Record<string, () => ReadableStream<Uint8Array>> = {
  'at-once': () => broken(0),
  soon: () => broken(5),
  'on-pull': () => new ReadableStream({ pull: throwing }),
  'null-on-pull': () => new ReadableStream({ pull: () => Promise.reject(null) }),
  'after-first': () => broken(120, 'first'),
}

/** Handlers that fail in every way that a handler can. */
export const failingRoutes = (): Hono =>
  new Hono()
    .all('/throw/:kind', (c) => {
      throw THROWN[c.req.param('kind')]?.()
    })
    .all('/reject/:kind', (c) => Promise.reject(THROWN[c.req.param('kind')]?.()))
    .all('/refuse/:kind', (c) => {
      throw REFUSED[c.req.param('kind')]?.() ?? new Error('no such refusal')
    })
    .get('/stream/:kind', (c) => new Response(STREAMS[c.req.param('kind')]?.()))
    .get('/json-stream', () => new Response(broken(0), { headers: { 'Content-Type': 'application/json' } }))
    .get('/circular', (c) => {
      const value: Record<string, unknown> = {}
      value.self = value
      return c.json(value as never)
    })
    .get('/bad-header', (c) => {
      c.header('X-Bad', 'a\r\nSet-Cookie: b=c')
      return c.text('ok')
    })
    .get('/bad-status', () => new Response('', { status: 99 }))
    .get('/nothing', (() => undefined) as never)
    .get('/late', (c) => {
      // Fails when nobody waits for it any more.
      setTimeout(() => void Promise.reject(new Error(CANARY)), 1)
      return c.json({ ok: true })
    })
    .get('/never', () => new Promise<Response>(() => {}))
    .get(
      '/too-slow-to-fail',
      (c) => new Promise((_, reject) => setTimeout(reject, 600, new Error(CANARY)) && c),
    )
