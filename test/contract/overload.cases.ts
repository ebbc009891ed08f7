import { describe, expect, it } from 'vitest'
import { describeServer, eventually, lines, type Server } from './harness.ts'
import { openRaw, type RawConnection, rawRequest } from './raw-http.ts'
import type { Runtime } from './runtimes.ts'

/** As the app under test is made. */
const IN_FLIGHT = 3

/** A request that is worked on until the test says otherwise, if it is let in. */
const hold = async (server: Server): Promise<RawConnection> => {
  const connection = await openRaw(server.port)
  const headers: [string, string][] = [['Content-Length', '9']]
  connection.write(rawRequest(server.port, { method: 'POST', target: '/open/hold', headers }))
  connection.write('half')
  return connection
}
const isOut = (connection: RawConnection) => connection.text().includes('OVERLOADED')

/** One whose handler runs. */
const admit = async (server: Server): Promise<RawConnection> => {
  const { held } = await eventually(
    () => server.hits(),
    (hits) => hits.held !== undefined,
  )
  const connection = await hold(server)
  await eventually(
    () => server.hits(),
    (hits) => hits.held === held + 1,
  )
  return connection
}

/** As many as may be. */
const fill = async (server: Server): Promise<RawConnection[]> => {
  const inside: RawConnection[] = []
  while (inside.length < IN_FLIGHT - 1) inside.push(await admit(server))
  inside.push(await hold(server))
  await eventually(
    () => server.ask('/open/ok'),
    ({ status }) => status === 503,
  )
  return inside
}

const finish = (connections: RawConnection[]) =>
  Promise.all(
    connections.map((connection) => {
      connection.write('+half')
      return connection.answer()
    }),
  )

/** How many are let in at once, of two more than may be. */
const room = async (server: Server): Promise<number> => {
  const connections = await Promise.all(Array.from({ length: IN_FLIGHT + 2 }, () => hold(server)))
  await eventually(() => connections.filter(isOut).length >= 2, Boolean)
  return (await finish(connections)).filter(({ status }) => status === 200).length
}

const isOpen = (server: Server) =>
  eventually(
    () => server.ask('/open/ok'),
    ({ status }) => status === 200,
  )

export const overloadCases = (runtime: Runtime): void => {
  describe('overload', () => {
    const env = {
      NODE_ENV: 'production',
      LOG_FORMAT: 'json',
      REQUEST_TIMEOUT_MS: '2000',
    }
    describeServer('is shed', runtime, { app: 'busy', env }, (server) => {
      it('past so many requests in flight, and those in flight end well', async () => {
        const connections = await fill(server())
        const refused = await server().ask('/open/ok')
        expect(refused.status).toBe(503)
        expect(JSON.parse(refused.body)).toMatchObject({ code: 'OVERLOADED', status: 503 })
        expect(refused.header('retry-after')).toMatch(/^[123]$/)
        expect(refused.header('cache-control')).toBe('no-store')
        expect(refused.header('x-content-type-options')).toBe('nosniff')
        const answers = await finish(connections)
        expect(answers.map(({ status, body }) => [status, body])).toEqual(
          Array(IN_FLIGHT).fill([200, 'half+half']),
        )
        await isOpen(server())
      })

      it('before a handler runs, a body is read or anybody is asked who they are', async () => {
        const connections = await fill(server())
        for (const target of ['/open/hold', '/closed/write', '/api/seed', '/nowhere']) {
          // Nothing of the body is sent, so that nobody can have waited for it.
          const headers: [string, string][] = [['Content-Length', '100000']]
          const { status, body } = await server().raw({ method: 'POST', target, headers })
          expect([status, JSON.parse(body).code], target).toEqual([503, 'OVERLOADED'])
        }
        const { handlers } = await finish(connections).then(() => server().hits())
        await server().ask('/open/ok')
        expect((await server().hits()).handlers).toBe(handlers + 1)
      })

      it('and probes are answered all the same', async () => {
        const connections = await fill(server())
        for (const path of ['/health', '/livez', '/readyz']) {
          expect((await server().ask(path)).status, path).toBe(200)
        }
        await finish(connections)
      })

      it('and whatever becomes of a request, it is not counted for ever', async () => {
        for (let round = 0; round < IN_FLIGHT; round++) {
          for (const path of ['/open/throw/error', '/nowhere', '/closed/ok', '/api/seed'])
            await server().ask(path)
            // Gone in the middle of its body.
          ;(await admit(server())).destroy()
          await isOpen(server())
        }
        // And one that never ends is given up.
        const slow = await admit(server())
        expect((await slow.answer()).status).toBe(503)
        expect(
          await eventually(
            () => room(server()),
            (free) => free === IN_FLIGHT,
          ),
        ).toBe(IN_FLIGHT)

        // Those of callers who have left, which an isolate ends without telling anyone.
        const gone = await Promise.all(Array.from({ length: IN_FLIGHT }, () => openRaw(server().port)))
        for (const connection of gone) connection.write(rawRequest(server().port, { target: '/open/never' }))
        await eventually(
          () => server().ask('/open/ok'),
          ({ status }) => status === 503,
        )
        for (const connection of gone) connection.destroy()
        await isOpen(server())
        expect(
          await eventually(
            () => room(server()),
            (free) => free === IN_FLIGHT,
          ),
        ).toBe(IN_FLIGHT)

        const connections = await fill(server())
        for (let round = 0; round < 20; round++) {
          expect((await server().ask('/open/ok')).status).toBe(503)
        }
        await finish(connections)
        await eventually(
          () => room(server()),
          (free) => free === IN_FLIGHT,
        )
      })

      if (runtime === 'workerd') {
        it('and an isolate says that it cannot see its event loop', () => {
          expect(lines(server().process.output()).map(({ msg }) => msg)).toContain(
            'overload.eventLoopDelayMs is not used on workers: only inFlight is',
          )
        })
        return
      }

      it('while the event loop is late, and no longer', async () => {
        await isOpen(server())
        const burning = server().ask('/open/burn/1500')
        await new Promise((resolve) => setTimeout(resolve, 300))
        // They come in while nothing is answered, and are there when the loop goes on.
        const [refused, probe] = await Promise.all([server().ask('/open/ok'), server().ask('/livez')])
        expect((await burning).status).toBe(200)
        expect([refused.status, JSON.parse(refused.body).code]).toEqual([503, 'OVERLOADED'])
        expect(probe.status).toBe(200)
        const began = performance.now()
        await isOpen(server())
        expect(performance.now() - began).toBeLessThan(3000)
      })
    })
  })
}
