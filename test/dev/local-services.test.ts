import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { neon, neonConfig } from '@neondatabase/serverless'
import { Redis } from '@upstash/redis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type LocalServicesOptions, startLocalServices } from '../../dev/local-services.ts'
import { LocalServicesError } from '../../dev/local-services-error.ts'
import { command, type Runtime } from './command.ts'
import { survivors } from './processes.ts'

const scratch = mkdtempSync(join(tmpdir(), 'parapet-dev-'))
const prepared = join(scratch, 'prepared')
let copies = 0

beforeAll(async () => {
  // A new database takes seconds, a copy of one does not.
  const services = await startLocalServices({ dataDir: prepared })
  await insert(services.env, 'prepared@example.com')
  await services.close()
})
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** A data directory with one customer in it. */
function directory(): string {
  const copy = join(scratch, `copy-${++copies}`)
  cpSync(prepared, copy, { recursive: true })
  return copy
}

async function start(options: LocalServicesOptions) {
  const services = await startLocalServices(options)
  onTestFinished(() => services.close())
  return services
}

const refused = (options: LocalServicesOptions): Promise<Error> =>
  startLocalServices(options).then(
    async (services) => {
      await services.close()
      throw new Error('it was not refused')
    },
    (error: unknown) => error as Error,
  )

function sql(env: Record<string, string>) {
  neonConfig.fetchEndpoint = env.NEON_FETCH_ENDPOINT ?? ''
  return neon(env.DATABASE_URL ?? '')
}

const insert = (env: Record<string, string>, email: string) =>
  sql(env)`insert into customers (name, email) values ('Name', ${email})`

async function emails(env: Record<string, string>): Promise<unknown[]> {
  return (await sql(env)`select email from customers order by created_at`).map(({ email }) => email)
}

describe('startLocalServices', () => {
  it('in memory serves a migrated Postgres and a Redis through the real clients, and faults', async () => {
    const { env, pid } = await start({ memory: true })
    expect(await emails(env)).toEqual([])
    const redis = new Redis({
      url: env.UPSTASH_REDIS_REST_URL ?? '',
      token: env.UPSTASH_REDIS_REST_TOKEN ?? '',
    })
    expect(await redis.incr('counter')).toBe(1)
    expect((await fetch(`${env.UPSTASH_REDIS_REST_URL}/__faults`)).status).toBe(200)

    const stranger = { ...env, DATABASE_URL: 'postgresql://postgres:guess@pglite.invalid/postgres' }
    await expect(emails(stranger)).rejects.toMatchObject({ code: '28P01' })
    expect(await survivors([pid ?? 0], 0)).toEqual([pid])
  })

  it('keeps Postgres over a restart, under new credentials', async () => {
    const dataDir = directory()
    const first = await startLocalServices({ dataDir })
    await insert(first.env, 'first@example.com')
    await first.close()
    expect(await survivors([first.pid ?? 0], 0)).toEqual([])
    const second = await start({ dataDir })
    expect(await emails(second.env)).toEqual(['prepared@example.com', 'first@example.com'])
    expect(second.env.DATABASE_URL).not.toBe(first.env.DATABASE_URL)
    expect(second.env.UPSTASH_REDIS_REST_TOKEN).not.toBe(first.env.UPSTASH_REDIS_REST_TOKEN)
  })

  it('names the variables before anything answers', async () => {
    const seen: unknown[] = []
    const { env } = await start({ dataDir: directory(), onEnv: (early) => seen.push(early) })
    expect(seen).toEqual([env])
  })

  it('refuses a second instance on the same directory and leaves the first alone', async () => {
    const dataDir = directory()
    const { env } = await start({ dataDir })
    const error = await refused({ dataDir })
    expect(error).toBeInstanceOf(LocalServicesError)
    expect(error.message).toMatch(new RegExp(`^\\S+ is in use by .* \\(process ${process.pid}\\): stop`))
    expect(await emails(env)).toEqual(['prepared@example.com'])
  })

  it('says that it was killed, and the next one takes its lock and loses nothing', async () => {
    const dataDir = directory()
    let killed = (_error: Error): void => {}
    const told = new Promise<Error>((resolve) => {
      killed = resolve
    })
    const { env, pid } = await start({ dataDir, onEnd: (error) => killed(error) })
    await insert(env, 'last@example.com')
    process.kill(pid ?? 0, 'SIGKILL')
    expect((await told).message).toBe('the local services ended (SIGKILL)')
    const next = await start({ dataDir })
    expect(await emails(next.env)).toEqual(['prepared@example.com', 'last@example.com'])
  })

  it('is ended by its signal while it starts, and begins anew after that', async () => {
    const aborting = new AbortController()
    const dataDir = join(scratch, 'aborted')
    const error = await refused({ dataDir, signal: aborting.signal, onEnv: () => aborting.abort() })
    expect(error.message).toContain('while they were starting')
    mkdirSync(join(dataDir, 'pg.new/base'), { recursive: true })
    const { env } = await start({ dataDir })
    expect(await emails(env)).toEqual([])
  })

  it('does not open, nor write over, a damaged database, and says what helps', async () => {
    const dataDir = directory()
    rmSync(join(dataDir, 'pg/PG_VERSION'))
    const message = `the database in ${dataDir}/pg cannot be opened (PG_VERSION is missing): delete ${dataDir} to start with an empty one`
    expect((await refused({ dataDir })).message).toBe(message)
    expect(existsSync(join(dataDir, 'pg/PG_VERSION'))).toBe(false)

    const other = directory()
    rmSync(join(other, 'pg/global/pg_control'))
    expect((await refused({ dataDir: other })).message).toContain(
      `cannot be opened (it is damaged): delete ${other}`,
    )
  })

  it('refuses a database whose migrations are not those of the project', async () => {
    const dataDir = directory()
    const { env, close } = await startLocalServices({ dataDir })
    await sql(env)`update parapet_migrations set sha256 = 'other'`
    await close()
    expect((await refused({ dataDir })).message).toMatch(/was edited after it was applied: .*delete /)
  })

  it('refuses a directory that cannot be written', async () => {
    const file = join(scratch, 'file')
    writeFileSync(file, '')
    expect((await refused({ dataDir: file })).message).toMatch(/^cannot write to .*file \(EEXIST\): /)
    expect((await refused({ dataDir: join(file, 'below') })).message).toMatch(/\(ENOTDIR\): /)
  })
})

describe.each<Runtime>(['node', 'bun'])('on %s', (runtime) => {
  it('the services end when the process that started them is killed', async () => {
    const dataDir = directory()
    const parent = command('test/dev/services-parent.ts', { PARAPET_DEV_DIR: dataDir }, runtime)
    await parent.says('\n')
    const { env, pid } = JSON.parse(parent.said.out)
    await insert(env, 'orphan@example.com')
    parent.kill('SIGKILL')
    await parent.ended
    expect(await survivors([pid], 5000)).toEqual([])
    const next = await start({ dataDir })
    expect(await emails(next.env)).toEqual(['prepared@example.com', 'orphan@example.com'])
  })

  it('a server that finds the directory in use says so in one line and exits 1', async () => {
    const dataDir = directory()
    await start({ dataDir })
    const env = { NODE_ENV: 'development', PORT: '0', PARAPET_DEV_DIR: dataDir }
    const server = command(`server/${runtime}.ts`, env, runtime)
    expect(await server.ended).toBe(1)
    expect(server.said.err).toMatch(/^parapet: \S+ is in use by another running instance .*\n$/)
  })
})
