import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../free-port.ts'
import { METHODS } from './blocked.cases.ts'
import { expectGuarded, expectProblem } from './expectations.ts'
import { bearer, eventually, OPERATOR_TOKEN, type Server, serverOf } from './harness.ts'
import { launch, type Runtime } from './runtimes.ts'

interface Held {
  server: Server
  release(): void
  end(): Promise<void>
}

/** A server that listens and is not ready before it is released. */
const holdBack = async (runtime: Runtime): Promise<Held> => {
  const gate = createServer()
  const arrived = once(gate, 'request') as Promise<[unknown, ServerResponse]>
  gate.listen(0, '127.0.0.1')
  await once(gate, 'listening')
  const port = await freePort()
  const child = await launch(runtime, {
    main: 'held-back',
    env: {
      NODE_ENV: 'production',
      INTERNAL_API_KEY: OPERATOR_TOKEN,
      CORS_ORIGIN: 'https://app.example',
      DATABASE_URL: 'postgres://app:secret@127.0.0.1:1/app',
      GATE: `http://127.0.0.1:${(gate.address() as AddressInfo).port}/`,
      PORT: String(port),
    },
  })
  const [, response] = await Promise.race([
    arrived,
    child.exited.then((code): never => {
      throw new Error(`ended with ${code}:\n${child.output()}`)
    }),
  ])
  const server = serverOf(runtime, child, port)
  return {
    server,
    release: () => void response.end('go on'),
    async end() {
      await server.stop()
      gate.closeAllConnections()
      gate.close()
    },
  }
}

/** Bun and Node listen first and make ready behind. A Worker has no such time. */
export const startingCases = (runtime: Runtime): void => {
  // An isolate is ready when it is asked.
  if (runtime === 'workerd') return
  describe('starting', () => {
    let held: Held
    let server: Server
    beforeAll(async () => {
      held = await holdBack(runtime)
      server = held.server
    })
    afterAll(() => held.end())

    it.each(['/health', '/livez'])('%s: 200', async (path) => {
      const answer = await server.ask(path)
      expect(answer.status).toBe(200)
      expect(JSON.parse(answer.body).status).toBe('ok')
      expectGuarded(answer)
    })

    it.each([
      '/health/ready',
      '/readyz',
      '/health/db',
      '/',
      '/open/ok',
      '/closed/ok',
      '/api/seed',
      '/api/admin/maintenance',
      '/none',
    ])('%s: 503 STARTING, again in a second', async (path) => {
      for (const method of path.startsWith('/health') || path === '/readyz' ? ['GET'] : METHODS) {
        for (const headers of [{}, bearer()]) {
          const answer = await server.ask(path, { method, headers })
          expect(answer.status).toBe(503)
          expect(answer.header('retry-after')).toBe('1')
          expectGuarded(answer)
          if (method !== 'HEAD') expectProblem(answer, 503, 'STARTING', { path })
        }
      }
    })

    it('a browser gets a page', async () => {
      const answer = await server.ask('/open/ok', { headers: { accept: 'text/html' } })
      expect(answer.status).toBe(503)
      expect(answer.header('content-type')).toMatch(/^text\/html/)
      expectGuarded(answer)
    })

    it('then it is ready, and no handler has run', async () => {
      held.release()
      await server.process.listening
      await eventually(
        () => server.ask('/open/ok'),
        ({ status }) => status === 200,
      )
      expect((await server.hits()).handlers).toBe(1)
    })

    it.each(['SIGTERM', 'SIGINT'] as const)('%s ends it meanwhile, exit 0', async (signal) => {
      const other = await holdBack(runtime)
      other.server.process.signal(signal)
      expect(await other.server.process.exited).toBe(0)
      await other.end()
    })
  })
}
