import { execFile } from 'node:child_process'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createEventLoopDelay } from '../../adapters/event-loop-delay.ts'
import { type SystemChecksOptions, systemChecks } from '../../adapters/system-checks.ts'

const ROOT = resolve(import.meta.dirname, '../..')

/** How one of them ends: `ok`, `warn` or its code. */
const look = async (name: string, options: Partial<SystemChecksOptions>): Promise<string> => {
  const check = systemChecks({ eventLoopDelayMs: () => 0, ...options }).find((one) => one.name === name)
  try {
    return ((await check?.run()) as string | undefined) ?? 'ok'
  } catch (thrown) {
    return (thrown as { failure: string }).failure
  }
}

describe('disk', () => {
  test.each([
    [100, 'ok'],
    [5, 'ok'],
    [4.9, 'warn'],
    [1, 'warn'],
    [0.9, 'exhausted'],
    [0, 'exhausted'],
  ])('with %d percent free: %s', async (free, end) => {
    expect(await look('disk', { disk: async () => ({ free, total: 100 }) })).toBe(end)
  })

  test('what has no size cannot be full, and what cannot be read is a failure', async () => {
    expect(await look('disk', { disk: async () => ({ free: 0, total: 0 }) })).toBe('ok')
    const broken = async () =>
      Promise.reject(new Error("ENOENT: no such file or directory, statfs '/secret'"))
    expect(await look('disk', { disk: broken })).toBe('bad_response')
  })
})

test.each([
  [10, 'ok'],
  [85, 'ok'],
  [86, 'warn'],
  [97, 'warn'],
  [98, 'exhausted'],
  [120, 'exhausted'],
])('memory with %d percent used: %s', async (used, end) => {
  expect(await look('memory', { memory: () => ({ used, limit: 100 }) })).toBe(end)
})

test.each([
  [0, 'ok'],
  [200, 'ok'],
  [201, 'warn'],
  [60_000, 'warn'],
])('an event loop that is %d ms late: %s', async (delay, end) => {
  expect(await look('event-loop', { eventLoopDelayMs: () => delay })).toBe(end)
})

describe('the event loop', () => {
  afterEach(() => void vi.useRealTimers())

  test('is not measured before the check runs', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const checks = systemChecks({ eventLoopDelayMs: createEventLoopDelay() })
    expect(vi.getTimerCount()).toBe(0)
    await checks.find(({ name }) => name === 'event-loop')?.run()
    expect(vi.getTimerCount()).toBe(1)
  })
})

test('none of them is critical, and none costs anything', () => {
  for (const check of systemChecks({ eventLoopDelayMs: () => 0 })) {
    expect(check.criticality).toBe('degrading')
    expect(check.costs).toBeUndefined()
  }
})

describe.each([
  ['node', process.execPath],
  ['bun', join(ROOT, 'node_modules/.bin/bun')],
])('on %s', (runtime, file) => {
  test('they read what the system says', async () => {
    const script = fileURLToPath(new URL('./read-system.ts', import.meta.url))
    const { stdout } = await promisify(execFile)(file, [script], { cwd: ROOT })
    const { ran, ends, late, perLookMs } = JSON.parse(stdout)
    expect(ran).toBe(runtime)
    expect(Object.keys(ends)).toEqual(['disk', 'memory', 'event-loop'])
    // The machine that tests run on may be nearly full, and busy.
    for (const end of Object.values(ends)) expect(end).toMatch(/^(?:ok|warn|exhausted)$/)
    expect(late).toBe('warn')
    expect(perLookMs).toBeLessThan(5)
  })
})
