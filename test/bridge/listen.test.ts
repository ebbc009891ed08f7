import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import type { Handler } from '../../bridge/handler.ts'
import { ConnectionDropped, type ListenOptions, listen } from '../../bridge/listen.ts'

async function open(handler: Handler, options: Partial<ListenOptions> = {}) {
  const listener = await listen({ routes: [['/', handler]], ...options })
  onTestFinished(() => listener.close())
  return listener
}

/** Sends bytes as they are and returns everything that comes back until the connection ends. */
async function raw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.end(bytes)
  let answer = ''
  socket.on('data', (data) => {
    answer += data
  })
  await once(socket, 'close')
  return answer
}

const echo: Handler = async (request) =>
  Response.json({
    method: request.method,
    path: new URL(request.url).pathname,
    header: request.headers.get('x-header'),
    body: await request.text(),
  })

it('hands over method, path, headers and body', async () => {
  const { url } = await open(echo)
  const response = await fetch(`${url}/a/b?c`, { method: 'POST', headers: { 'x-header': 'v' }, body: 'é\0' })
  expect(await response.json()).toEqual({ method: 'POST', path: '/a/b', header: 'v', body: 'é\0' })
})

it('routes by the first prefix that is the path or a parent of it', async () => {
  const named =
    (name: string): Handler =>
    async () =>
      new Response(name)
  const { url, close } = await listen({
    routes: [
      ['/sql', named('sql')],
      ['/a/', named('a')],
    ],
  })
  onTestFinished(close)
  const text = async (path: string) => (await fetch(url + path)).text()
  expect(await Promise.all(['/sql', '/sql/x', '/a/b'].map(text))).toEqual(['sql', 'sql', 'a'])
  for (const path of ['/sqlx', '/', '/a']) expect((await fetch(url + path)).status).toBe(404)
})

it('is on loopback by default and says which address it has', async () => {
  const { url, port } = await open(echo)
  expect(url).toBe(`http://127.0.0.1:${port}`)
  await expect(listen({ routes: [], host: '' })).rejects.toThrow('must not be empty')
})

it('says in one line that a port is taken', async () => {
  const { port } = await open(echo)
  const error = await listen({ routes: [], port }).catch((reason: unknown) => reason)
  expect(error).toMatchObject({ message: `port ${port} on 127.0.0.1 is taken`, code: 'EADDRINUSE' })
})

it('survives malformed HTTP and serves the next request', async () => {
  const { url, port } = await open(echo)
  expect(await raw(port, 'nonsense\r\n\r\n')).toMatch(/^HTTP\/1.1 400/)
  expect(await raw(port, 'GET * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1.1 400/)
  expect(await raw(port, 'GET http://other/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toMatch(
    /^HTTP\/1.1 400/,
  )
  expect(await raw(port, 'TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toMatch(
    /^HTTP\/1.1 400/,
  )
  expect(await raw(port, 'GET / HTTP/1.1\r\nHost: x\r\nX: \u0001\r\n\r\n')).toMatch(/^HTTP\/1.1 400/)
  await raw(port, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nshort')
  await raw(port, 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n')
  await raw(port, `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`)
  await raw(port, 'CONNECT other:80 HTTP/1.1\r\nHost: other\r\n\r\n')
  await raw(port, '')
  expect((await fetch(url)).status).toBe(200)
})

it('bounds a body, announced or not, before the handler sees it', async () => {
  let seen = 0
  const count: Handler = async () => {
    seen++
    return new Response('ok')
  }
  const { url } = await open(count, { maxBodyBytes: 1000 })
  const post = (body: BodyInit) => fetch(url, { method: 'POST', body, duplex: 'half' } as RequestInit)
  expect((await post('x'.repeat(1000))).status).toBe(200)
  expect((await post('x'.repeat(1001))).status).toBe(413)
  const chunked = new Response('x'.repeat(1001)).body
  expect((await post(chunked ?? '')).status).toBe(413)
  expect(seen).toBe(1)
})

it('answers 500 without a word of what was thrown, and tells onError', async () => {
  const told: unknown[] = []
  const failing: Handler = async () => {
    throw new Error('secret')
  }
  const { url } = await open(failing, { onError: (error) => told.push(error) })
  const response = await fetch(url)
  expect([response.status, await response.text()]).toEqual([500, '{"error":"internal error"}'])
  expect(told).toEqual([new Error('secret')])
})

it('cuts the connection for ConnectionDropped and for a body that breaks', async () => {
  const dropping: Handler = async (request) => {
    if (request.url.endsWith('/drop')) throw new ConnectionDropped()
    let parts = 0
    return new Response(
      new ReadableStream({
        pull(controller) {
          if (parts++ === 0) controller.enqueue(new TextEncoder().encode('half'))
          else controller.error(new Error('broken'))
        },
      }),
    )
  }
  const { url } = await open(dropping)
  await expect(fetch(`${url}/drop`)).rejects.toThrow(/fetch failed|ECONNRESET/)
  await expect(fetch(`${url}/break`).then((response) => response.text())).rejects.toThrow()
})

it('streams, and aborts the signal and cancels the body when the caller goes', async () => {
  let aborted = false
  let cancelled = false
  const streaming: Handler = async (request) => {
    request.signal.addEventListener('abort', () => {
      aborted = true
    })
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode('data: 1\n\n')),
      cancel: () => {
        cancelled = true
      },
    })
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  }
  const { url } = await open(streaming)
  const gone = new AbortController()
  const response = await fetch(url, { signal: gone.signal })
  const first = await response.body?.getReader().read()
  expect(new TextDecoder().decode(first?.value)).toBe('data: 1\n\n')
  gone.abort()
  await expect.poll(() => [aborted, cancelled]).toEqual([true, true])
})

it('aborts the signal of a handler that is still thinking', async () => {
  const aborted = new Promise<void>((resolve) => {
    void open(async (request) => {
      await new Promise((done) => request.signal.addEventListener('abort', done))
      resolve()
      return new Response('late')
    }).then(({ url }) => fetch(url, { signal: AbortSignal.timeout(50) }).catch(() => {}))
  })
  await aborted
})

it('holds back a fast body for a slow reader', async () => {
  let pulled = 0
  const endless: Handler = async () =>
    new Response(
      new ReadableStream({
        pull(controller) {
          pulled++
          controller.enqueue(new Uint8Array(64 * 1024))
        },
      }),
    )
  const { port } = await open(endless)
  const socket = connect(port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  socket.pause()
  await new Promise((resolve) => setTimeout(resolve, 300))
  const after = pulled
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(pulled).toBe(after)
  socket.destroy()
})

it('closes at once when nothing is open, and within a second when a stream is', async () => {
  const silent: Handler = async () =>
    new Response(new ReadableStream(), { headers: { 'content-type': 'text/event-stream' } })
  const idle = await open(echo)
  await (await fetch(idle.url)).text()
  const start = performance.now()
  await idle.close()
  expect(performance.now() - start).toBeLessThan(500)
  await idle.close()
  const busy = await open(silent)
  const response = await fetch(busy.url)
  await busy.close()
  await expect(response.text()).rejects.toThrow()
  await expect(fetch(busy.url)).rejects.toThrow()
})
