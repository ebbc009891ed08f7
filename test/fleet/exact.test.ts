import { randomUUID } from 'node:crypto'
import { afterAll, describe, expect, it } from 'vitest'
import { skipped } from '../bridge/skipped.ts'
import { type Answer, eventually, OPERATOR_TOKEN, type Server, startServer } from '../contract/harness.ts'
import { endAll, type Runtime } from '../contract/runtimes.ts'
import { testRedisUrl } from './redis-server.ts'

const FLEET: readonly Runtime[] = ['node', 'node', 'bun', 'bun']
const LIMIT = 50
/** Rounds in which a machine that has too much else to do may keep an answer of Redis for longer than anyone waits. */
const SPOILT = 5

if (!testRedisUrl) skipped('a fleet on one Redis', 'TEST_REDIS_URL is not set')
else describe('a fleet on one Redis', () => exactCases(testRedisUrl as string))

/** One caller of all processes at once. */
const exactCases = (url: string) => {
  afterAll(endAll)
  const start = () =>
    Promise.all(
      FLEET.map((runtime) =>
        startServer(runtime, {
          app: 'limited',
          env: {
            NODE_ENV: 'production',
            LOG_FORMAT: 'json',
            INTERNAL_API_KEY: OPERATOR_TOKEN,
            REDIS_URL: url,
          },
        }),
      ),
    )
  /** So many requests of one caller, spread over the fleet and sent without waiting for one another. */
  const flood = async (fleet: readonly Server[], requests: number) => {
    const headers = { 'x-customer': randomUUID() }
    const answers = await Promise.all(
      Array.from({ length: requests }, (_, index) =>
        (fleet[index % fleet.length] as Server).ask('/open/path/fifty/x', { headers }),
      ),
    )
    for (const { status } of answers) expect([200, 429]).toContain(status)
    return {
      admitted: answers.filter(({ status }) => status === 200).length,
      /** By Redis every one of them, and by no process for itself. */
      counted: answers.every(isCounted),
    }
  }
  /** Resolves once every process counts with the others. */
  const together = (fleet: readonly Server[]) =>
    eventually(
      () => Promise.all(fleet.map((server) => server.ask('/open/path/one/x'))),
      (answers) => answers.every(isCounted),
    )

  it('admits exactly as many of 200 as the limit says, ten times over', async () => {
    const fleet = await start()
    for (let i = 0; i < 20; i++) await together(fleet)
    let spoilt = 0
    for (let round = 0; round < 10; ) {
      const { admitted, counted } = await flood(fleet, 200)
      if (counted) {
        expect(admitted).toBe(LIMIT)
        round++
      } else {
        expect(++spoilt).toBeLessThanOrEqual(SPOILT)
        await together(fleet)
      }
    }
    for (const server of fleet) expect(await server.stop()).toBe(0)
  }, 60_000)
}

const isCounted = (answer: Answer): boolean => answer.header('ratelimit') !== undefined
