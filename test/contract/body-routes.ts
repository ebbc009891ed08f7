import { Hono } from 'hono'
import { z } from 'zod'
import { readJson } from '../../src/parapet.ts'

const orderSchema = z.strictObject({
  quantity: z.int().positive(),
  lines: z.array(z.strictObject({ sku: z.string().min(2) })).max(3),
})

/** Handlers that read a body in every way that a handler does, well and badly. */
export const bodyRoutes = (): Hono =>
  new Hono()
    .all('/bytes', async (c) => c.json({ bytes: (await c.req.arrayBuffer()).byteLength }))
    .post('/text', async (c) => c.json({ length: (await c.req.text()).length }))
    .post('/json', async (c) => {
      const value: unknown = await c.req.json()
      const polluted = ({} as Record<string, unknown>).polluted !== undefined
      return c.json({ value: value as never, polluted })
    })
    .post('/form', async (c) => c.json(await c.req.parseBody()))
    .post('/order', async (c) => c.json(await readJson(c, orderSchema), 201))
    .post('/unread', (c) => c.json({ ok: true }))
    .post('/swallow', async (c) => {
      const failed = await c.req.text().then(
        () => false,
        () => true,
      )
      return c.json({ failed })
    })
    .post('/swallow-json', async (c) => c.json(await c.req.json().catch(() => ({ swallowed: true }))))
    .post('/first-chunk', async (c) => {
      const { value } = (await c.req.raw.body?.getReader().read()) ?? {}
      return c.json({ bytes: value?.byteLength ?? 0 })
    })
    .post('/stream-back', (c) => new Response(c.req.raw.body, { headers: { 'Content-Type': 'text/csv' } }))
