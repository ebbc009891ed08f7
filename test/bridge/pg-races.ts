import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createNeonHandler } from '../../bridge/sql/neon.ts'
import { createPgEngine, type PgEngineOptions } from '../../bridge/sql/pg-engine.ts'
import type { SqlEngine } from '../../bridge/sql/sql-engine.ts'
import { type Freezer, freezer, silentServer } from './freezer.ts'
import { post, serveNeon } from './neon-endpoint.ts'

/** What only a real PostgreSQL can show: kills, timeouts, waiting, conflicts, and a network that goes quiet. */
export function pgRaces(connectionString: () => string, direct: () => pg.Client): void {
  describe('PostgreSQL only', () => {
    const engines: SqlEngine[] = []
    const frozen: Freezer[] = []
    const start = (options: Partial<PgEngineOptions> = {}) => {
      const engine = createPgEngine({ connectionString: connectionString(), ...options })
      engines.push(engine)
      const reported: unknown[] = []
      const handler = createNeonHandler({
        engine,
        accepts: () => true,
        report: (failure) => reported.push(failure),
      })
      const ask = async (body: object, signal?: AbortSignal, headers: Record<string, string> = {}) => {
        const request = new Request('http://bridge/sql', {
          method: 'POST',
          body: JSON.stringify(body),
          headers: { 'Neon-Connection-String': 'postgres://u:p@h/d', ...headers },
          ...(signal && { signal }),
        })
        const response = await handler(request)
        // biome-ignore lint/suspicious/noExplicitAny: tests reach into whatever JSON came back
        return { status: response.status, body: (await response.json()) as any }
      }
      return { ask, reported }
    }
    const running = async (mark: string) => {
      const text =
        "select count(*)::int as n from pg_stat_activity where state = 'active' and query like $1 and pid <> pg_backend_pid()"
      return (await direct().query<{ n: number }>(text, [`%${mark}%`])).rows[0]?.n
    }
    const kill = () =>
      direct().query(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'parapet-bridge' and datname = current_database()",
      )

    beforeAll(async () => {
      await direct().query('create table accounts (id int primary key, amount int not null)')
      await direct().query('insert into accounts values (1, 100), (2, 100)')
    })
    afterEach(async () => {
      await Promise.all(frozen.splice(0).map((one) => one.close()))
      await Promise.all(engines.splice(0).map((engine) => engine.close()))
    })

    test('idle connections that are killed are replaced', async () => {
      const { ask } = start()
      await Promise.all([1, 2, 3].map(() => ask({ query: 'select pg_sleep(0.05)' })))
      await kill()
      await sleep(100)
      const answers = await Promise.all([1, 2, 3].map(() => ask({ query: 'select 1' })))
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    })

    test('a query whose backend is killed fails with 57P01, the next is served', async () => {
      const { ask } = start({ poolSize: 1 })
      const killed = ask({ query: "select pg_sleep(10), 'victim'" })
      await expect.poll(() => running('victim')).toBe(1)
      await kill()
      expect((await killed).body).toMatchObject({ code: '57P01', severity: 'FATAL' })
      expect((await ask({ query: 'select 1 as one' })).body.rows).toEqual([{ one: 1 }])
    })

    test('a batch whose backend is killed leaves nothing behind', async () => {
      const { ask } = start()
      const batch = ask({
        queries: [{ query: 'update accounts set amount = 0' }, { query: "select pg_sleep(10), 'victim'" }],
      })
      await expect.poll(() => running('victim')).toBe(1)
      await kill()
      expect((await batch).body.code).toBe('57P01')
      expect((await ask({ query: 'select sum(amount)::int as n from accounts' })).body.rows).toEqual([
        { n: 200 },
      ])
    })

    test('a statement beyond its time is cancelled by Postgres: 57014', async () => {
      const { ask } = start({ queryTimeoutMs: 200, poolSize: 1 })
      expect((await ask({ query: 'select pg_sleep(5)' })).body).toMatchObject({
        code: '57014',
        severity: 'ERROR',
      })
    })

    test("the time is each statement's own, not the batch's", async () => {
      const { ask } = start({ queryTimeoutMs: 600 })
      const each = { query: 'select pg_sleep(0.42)' }
      expect((await ask({ queries: [each, each, each, each] })).status).toBe(200)
    })

    test('a statement that switches its timeout off is given up, and ended in Postgres too', async () => {
      const { ask } = start({ queryTimeoutMs: 200, poolSize: 1 })
      const queries = [{ query: 'set statement_timeout = 0' }, { query: "select pg_sleep(30), 'endless'" }]
      const { status, body } = await ask({ queries })
      expect([status, body.code]).toEqual([400, '08007'])
      expect(body.message).toContain('no answer from Postgres within 1200 ms')
      await expect.poll(() => running('endless')).toBe(0)
      expect((await ask({ query: 'show statement_timeout' })).body.rows).toEqual([
        { statement_timeout: '200ms' },
      ])
    })

    test('a full pool makes requests wait, then refuses them with 53300', async () => {
      const patient = start({ poolSize: 2 })
      const nap = { query: 'select pg_sleep(0.05)' }
      const all = await Promise.all(Array.from({ length: 10 }, () => patient.ask(nap)))
      expect(all.every(({ status }) => status === 200)).toBe(true)
      const hasty = start({ poolSize: 1, connectTimeoutMs: 150 })
      const [first, second] = await Promise.all([
        hasty.ask({ query: 'select pg_sleep(0.5)' }),
        hasty.ask(nap),
      ])
      expect(first.status).toBe(200)
      expect(second).toMatchObject({
        status: 400,
        body: { code: '53300', message: 'no free connection within 150 ms (pool of 1)' },
      })
    })

    test('a request whose caller went away is cancelled, and its connection not used again', async () => {
      const { ask } = start({ poolSize: 1 })
      await ask({ query: 'select 1' })
      const gone = new AbortController()
      const abandoned = ask({ query: "select pg_sleep(30), 'abandoned'" }, gone.signal)
      await expect.poll(() => running('abandoned')).toBe(1)
      gone.abort()
      expect((await abandoned).body).toMatchObject({
        code: '08P01',
        message: 'Query cancelled, connection was terminated',
      })
      expect((await ask({ query: 'select 1' })).status).toBe(200)
      await expect.poll(() => running('abandoned')).toBe(0)
    })

    test('a caller who hangs up ends their query', async () => {
      const engine = createPgEngine({ connectionString: connectionString() })
      engines.push(engine)
      const endpoint = await serveNeon(engine)
      const gone = new AbortController()
      const hungUp = fetch(endpoint.url, {
        method: 'POST',
        body: JSON.stringify({ query: "select pg_sleep(30), 'hung up'" }),
        headers: { 'Neon-Connection-String': endpoint.connectionString },
        signal: gone.signal,
      })
      await expect.poll(() => running('hung up')).toBe(1)
      gone.abort()
      await expect(hungUp).rejects.toThrow()
      await expect.poll(() => running('hung up')).toBe(0)
      expect((await post(endpoint, { query: 'select 1' })).status).toBe(200)
      await endpoint.close()
    })

    test('one whose caller left before its turn is not run', async () => {
      const { ask } = start({ poolSize: 1 })
      const busy = ask({ query: 'select pg_sleep(0.2)' })
      const late = ask({ query: 'update accounts set amount = -1' }, AbortSignal.timeout(50))
      expect((await late).body.code).toBe('08P01')
      await busy
      expect((await ask({ query: 'select sum(amount)::int as n from accounts' })).body.rows).toEqual([
        { n: 200 },
      ])
    })

    test('two serializable batches in conflict: one gets 40001', async () => {
      const { ask } = start()
      const move = (from: number, to: number) =>
        ask(
          {
            queries: [
              { query: 'select amount from accounts where id = $1', params: [from] },
              { query: 'select pg_sleep(0.2)' },
              { query: 'update accounts set amount = amount + 1 where id = $1', params: [to] },
            ],
          },
          undefined,
          { 'Neon-Batch-Isolation-Level': 'Serializable' },
        )
      const both = await Promise.all([move(1, 2), move(2, 1)])
      expect(both.map(({ body }) => body.code).sort()).toEqual(['40001', undefined])
    })

    test('a deadlock is 40P01 for one of the two', async () => {
      const { ask } = start()
      const lock = (id: number) => ({
        query: 'update accounts set amount = amount where id = $1',
        params: [id],
      })
      const nap = { query: 'select pg_sleep(0.2)' }
      const both = await Promise.all([
        ask({ queries: [lock(1), nap, lock(2)] }),
        ask({ queries: [lock(2), nap, lock(1)] }),
      ])
      expect(both.map(({ body }) => body.code).sort()).toEqual(['40P01', undefined])
    })

    test('the locks of a failed batch are free when its answer arrives', async () => {
      const { ask } = start()
      const nowait = 'select 1 from accounts where id = 1 for update nowait'
      for (let n = 0; n < 20; n += 1) {
        expect((await ask({ queries: [{ query: nowait }, { query: 'select 1 / 0' }] })).body.code).toBe(
          '22012',
        )
        expect((await ask({ query: nowait })).status).toBe(200)
      }
    })

    test('a result without end is given up and ended in Postgres', async () => {
      const { ask } = start({ poolSize: 1 })
      const query = "select repeat('x', 1000), 'flood', generate_series(1, 100000000)"
      expect((await ask({ query })).status).toBe(507)
      expect((await ask({ query: 'select 1' })).status).toBe(200)
      await expect.poll(() => running('flood')).toBe(0)
    })

    test('a COPY that was not recognised is refused, not waited for', async () => {
      const engine = createPgEngine({ connectionString: connectionString(), poolSize: 1 })
      engines.push(engine)
      for (const text of ['copy accounts to stdout', 'copy accounts from stdin']) {
        const outcome = await engine.run({ statements: [{ text, params: [] }], maxChars: 1000 })
        expect(outcome).toMatchObject({ kind: 'error', error: { code: '0A000' } })
      }
      const outcome = await engine.run({ statements: [{ text: 'select 1', params: [] }], maxChars: 1000 })
      expect(outcome.kind).toBe('results')
    })

    test('many errors on one connection leave no listeners behind', async () => {
      const warnings: Error[] = []
      const collect = (warning: Error) => warnings.push(warning)
      process.on('warning', collect)
      const { ask } = start({ poolSize: 1 })
      for (let n = 0; n < 30; n += 1) expect((await ask({ query: 'selct' })).body.code).toBe('42601')
      await sleep(10)
      process.off('warning', collect)
      expect(warnings).toEqual([])
    })

    test.each([
      [
        'nobody listens',
        async () => 'postgres://u:hunter2@127.0.0.1:1/d',
        /^Couldn't connect to compute node: connection refused$/,
      ],
      [
        'nobody is there',
        async () => 'postgres://u:hunter2@nowhere.invalid/d',
        /^Couldn't connect to compute node: host name not (found|resolved)$/,
      ],
      [
        'somebody listens and says nothing',
        async () => {
          const server = await silentServer()
          frozen.push(server)
          return `postgres://u:hunter2@127.0.0.1:${server.port}/d`
        },
        /^Couldn't connect to compute node: no answer within 300 ms$/,
      ],
    ])('Postgres cannot be reached, %s: 08001, and no word about where it is', async (_, target, message) => {
      const { ask, reported } = start({ connectionString: await target(), connectTimeoutMs: 300 })
      const { status, body } = await ask({ query: 'select 1' })
      expect(status).toBe(400)
      expect(body).toMatchObject({ code: '08001', message: expect.stringMatching(message) })
      expect(JSON.stringify(body)).not.toMatch(/hunter2|127\.0\.0\.1|nowhere/)
      expect(reported).toHaveLength(1)
    })

    test('a database that is not there is 3D000', async () => {
      const url = new URL(connectionString())
      url.pathname = '/no_such_database'
      expect((await start({ connectionString: url.href }).ask({ query: 'select 1' })).body.code).toBe('3D000')
    })

    test('a network that goes quiet during a query, then during the next connect', async () => {
      const cold = await freezer(connectionString())
      frozen.push(cold)
      const { ask } = start({
        connectionString: cold.connectionString,
        queryTimeoutMs: 100,
        connectTimeoutMs: 300,
        poolSize: 1,
      })
      expect((await ask({ query: 'select 1' })).status).toBe(200)
      // The connection's reset is over by then.
      await sleep(50)
      cold.freeze()
      expect((await ask({ query: 'select 2' })).body).toMatchObject({ code: '08006' })
      expect((await ask({ query: 'select 3' })).body).toMatchObject({ code: '08001' })
      cold.thaw()
      expect((await ask({ query: 'select 4' })).status).toBe(200)
    })

    test('a connection that is cut during a query is 08006, during a batch 08007', async () => {
      const cold = await freezer(connectionString())
      frozen.push(cold)
      const { ask } = start({ connectionString: cold.connectionString })
      const query = "select pg_sleep(5), 'wire'"
      const single = ask({ query })
      const batch = ask({ queries: [{ query }] })
      await expect.poll(() => running('wire')).toBe(2)
      cold.cut()
      expect((await single).body.code).toBe('08006')
      expect((await batch).body).toMatchObject({
        code: '08007',
        message: 'connection to Postgres lost; the outcome is unknown',
      })
      expect((await ask({ query: 'select 1' })).status).toBe(200)
    })
  })
}
