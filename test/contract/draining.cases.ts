import { describe, expect, it } from 'vitest'
import { eventually, OPERATOR_TOKEN, type Server, startServer } from './harness.ts'
import { openRaw, type RawConnection, rawRequest } from './raw-http.ts'
import type { Runtime } from './runtimes.ts'

/** A request whose body the test ends, so that it lasts exactly as long as the test likes. */
const holdRequest = async (server: Server): Promise<RawConnection> => {
  const { held } = await server.hits()
  const connection = await openRaw(server.port)
  const headers: [string, string][] = [['Content-Length', '9']]
  connection.write(rawRequest(server.port, { method: 'POST', target: '/open/hold', headers }))
  connection.write('half')
  await eventually(
    () => server.hits(),
    (hits) => hits.held === held + 1,
  )
  return connection
}

export const drainingCases = (runtime: Runtime): void => {
  // An isolate goes without a signal.
  if (runtime === 'workerd') return
  describe('draining', () => {
    const start = (more = {}) =>
      startServer(runtime, { env: { NODE_ENV: 'production', INTERNAL_API_KEY: OPERATOR_TOKEN, ...more } })

    it.each(['SIGTERM', 'SIGINT'] as const)(
      '%s: no to new traffic, what is in flight ends well, exit 0',
      async (signal) => {
        const server = await start()
        expect((await server.ask('/readyz')).status).toBe(200)
        const connection = await holdRequest(server)
        server.process.signal(signal)

        const began = performance.now()
        const answer = await eventually(
          () => server.ask('/readyz'),
          ({ status }) => status !== 200,
        )
        expect(performance.now() - began).toBeLessThan(500)
        expect(answer.status).toBe(503)
        expect(JSON.parse(answer.body)).toMatchObject({ ready: false, status: 'unavailable' })
        expect(answer.header('retry-after')).toMatch(/^[1-9]\d*$/)
        expect((await server.ask('/livez')).status).toBe(200)

        connection.write('+half')
        const slow = await connection.answer()
        expect(slow.status).toBe(200)
        expect(slow.body).toBe('half+half')
        expect(await server.process.exited).toBe(0)
        expect(server.process.output()).toContain('draining')
      },
    )

    it('ends at once where nothing is in flight, though connections are kept alive', async () => {
      const server = await start()
      const idle = await openRaw(server.port)
      idle.write(rawRequest(server.port, { target: '/open/ok', headers: [['Connection', 'keep-alive']] }))
      await idle.seen('{"ok":true')
      const silent = await openRaw(server.port)
      const began = performance.now()
      server.process.signal('SIGTERM')
      expect(await server.process.exited).toBe(0)
      expect(performance.now() - began).toBeLessThan(2000)
      idle.destroy()
      silent.destroy()
    })

    it('waits no longer than SHUTDOWN_TIMEOUT_MS', async () => {
      const server = await start({ SHUTDOWN_TIMEOUT_MS: '600' })
      const connection = await holdRequest(server)
      const began = performance.now()
      server.process.signal('SIGTERM')
      expect(await server.process.exited).toBe(0)
      expect(performance.now() - began).toBeLessThan(2500)
      connection.destroy()
    })

    it('a second signal does no harm', async () => {
      const server = await start()
      const connection = await holdRequest(server)
      server.process.signal('SIGTERM')
      await eventually(
        () => server.ask('/readyz'),
        ({ status }) => status === 503,
      )
      server.process.signal('SIGTERM')
      expect((await server.ask('/livez')).status).toBe(200)
      connection.write('+half')
      expect((await connection.answer()).body).toBe('half+half')
      expect(await server.process.exited).toBe(0)
    })

    it('loses no log line', async () => {
      const server = await start()
      const ids = Array.from({ length: 20 }, (_, i) => `the-last-line-${i}`)
      await Promise.all(ids.map((id) => server.ask('/open/ok', { headers: { 'x-correlation-id': id } })))
      await server.stop()
      for (const id of ids) expect(server.process.output()).toContain(`"${id}"`)
    })
  })
}
