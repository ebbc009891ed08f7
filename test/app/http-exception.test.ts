import { Hono } from 'hono'
import { basicAuth } from 'hono/basic-auth'
import { expect, test } from 'vitest'
import { createApp } from '../../src/parapet.ts'

test("a challenge of Hono's own middleware reaches the browser", async () => {
  const routes = new Hono()
    .use('/inside/*', basicAuth({ username: 'a', password: 'b', realm: 'inside' }))
    .get('/inside/x', (c) => c.text('x'))
  const app = createApp({ routes, open: ['/*'] })
  app.boot({ NODE_ENV: 'production' }, { runtime: 'node', write: () => {} })
  const response = await app.fetch(new Request('http://localhost/inside/x'), { waitUntil: () => {} })
  expect(response.status).toBe(401)
  expect(response.headers.get('www-authenticate')).toBe('Basic realm="inside"')
  expect(await response.json()).toMatchObject({ code: 'UNAUTHORIZED' })
})
