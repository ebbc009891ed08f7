import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { claimPort } from '../../dev/claim-port.ts'
import { command } from './command.ts'
import { family, survivors } from './processes.ts'

const directory = mkdtempSync(join(tmpdir(), 'parapet-dev-command-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const READY = 'Ctrl-C ends all of it.'
const PATIENCE_MS = 90_000

async function dev(port: number) {
  const running = command('dev/main.ts', { PORT: String(port), PARAPET_DEV_DIR: directory })
  await running.says(READY)
  const token = readFileSync(join(directory, 'operator-token'), 'utf8').trim()
  const call = async (path: string, body?: object) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
    })
    return { status: response.status, body: await response.json() }
  }
  return { ...running, token, call }
}

describe('npm run dev', () => {
  it(
    'serves the worker over the local services, keeps data, and ends without a trace',
    async () => {
      const port = await claimPort(0)
      const first = await dev(port)
      expect(first.token.length).toBeGreaterThanOrEqual(32)
      for (const name of ['operator-token', 'vars'])
        expect(statSync(join(directory, name)).mode & 0o077).toBe(0)
      expect(first.said.out).toContain(`curl -H 'Authorization: Bearer ${first.token}'`)
      expect(first.said.out).toContain('100 customers')
      expect(first.said.err).toBe('')

      expect(await first.call('/health/ready')).toMatchObject({ status: 200, body: { ready: true } })
      const ada = { name: 'Ada', email: 'ada@dev.example' }
      const created = await first.call('/api/customers', ada)
      expect(created).toMatchObject({ status: 201, body: ada })
      await first.says('[request] POST /api/customers 201')

      const elsewhere = command('dev/main.ts', { PORT: '0', PARAPET_DEV_DIR: directory })
      expect(await elsewhere.ended).toBe(1)
      expect(elsewhere.said).toEqual({
        out: '',
        err: expect.stringMatching(/^parapet: \S+ is in use by another running instance .*\n$/),
      })
      const here = command('dev/main.ts', { PORT: String(port), PARAPET_DEV_DIR: directory })
      expect(await here.ended).toBe(1)
      expect(here.said.err).toBe(`parapet: port ${port} is taken: set PORT to another one\n`)

      const processes = family(first.pid)
      expect(processes.length).toBeGreaterThan(3)
      first.kill('SIGINT')
      expect(await first.ended).toBe(0)
      expect(await survivors(processes, 1000)).toEqual([])

      const second = await dev(port)
      expect(second.token).toBe(first.token)
      expect(second.said.out).toContain('101 customers')
      expect(await second.call(`/api/customers/${created.body.id}`)).toEqual({ ...created, status: 200 })

      const others = family(second.pid).slice(1)
      second.kill('SIGKILL')
      expect(await survivors(others, 8000)).toEqual([])
    },
    PATIENCE_MS,
  )

  it('says what is wrong with PORT', async () => {
    const running = command('dev/main.ts', { PORT: 'eighty', PARAPET_DEV_DIR: directory })
    expect(await running.ended).toBe(78)
    expect(running.said.err).toBe('parapet: PORT must be a port from 0 to 65535\n')
  })

  it(
    'ends in one line when its services are killed',
    async () => {
      const running = await dev(await claimPort(0))
      const processes = family(running.pid)
      process.kill(Number(processes[1]), 'SIGKILL')
      expect(await running.ended).toBe(1)
      expect(running.said.err).toMatch(/^parapet: (?:the local services|wrangler) ended \(SIGKILL\)\n$/)
      expect(await survivors(processes, 1000)).toEqual([])
    },
    PATIENCE_MS,
  )
})
