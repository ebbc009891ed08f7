import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { createApp } from '../../src/parapet.ts'

const text = 'abc'.repeat(5000)
const routes = () => new Hono().get('/big', (c) => c.json({ text }))

const ask = (ENABLE_COMPRESSION: string, runtime: 'node' | 'workers') => {
  const app = createApp({ routes: routes(), open: ['/big'] })
  app.boot({ NODE_ENV: 'production', ENABLE_COMPRESSION }, { runtime, write: () => {} })
  const headers = { 'Accept-Encoding': 'gzip' }
  return app.fetch(new Request('http://localhost/big', { headers }), { waitUntil: () => {} })
}

test('ENABLE_COMPRESSION compresses what the caller accepts compressed', async () => {
  const response = await ask('true', 'node')
  expect(response.headers.get('content-encoding')).toBe('gzip')
  expect(response.headers.get('vary')).toMatch(/accept-encoding.*origin/i)
  const plain = response.body?.pipeThrough(new DecompressionStream('gzip'))
  expect(await new Response(plain as ReadableStream).json()).toEqual({ text })
})

test('without it, and on Workers, nothing is compressed here', async () => {
  for (const response of [await ask('false', 'node'), await ask('true', 'workers')]) {
    expect(response.headers.get('content-encoding')).toBeNull()
  }
})
