import { randomUUID } from 'node:crypto'
import { afterAll, describe, expect, it } from 'vitest'
import { skipped } from '../bridge/skipped.ts'
import { OPERATOR_TOKEN, type Server, startServer } from '../contract/harness.ts'
import { endAll, type Runtime } from '../contract/runtimes.ts'
import { testRedisUrl } from './redis-server.ts'

const FLEET: readonly Runtime[] = ['node', 'node', 'bun', 'bun']
const LIMIT = 50

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
  /** How many of so many requests are admitted, spread over the fleet and sent without waiting for one another. */
  const admitted = async (fleet: readonly Server[], requests: number): Promise<number> => {
    const headers = { 'x-customer': randomUUID() }
    const answers = await Promise.all(
      Array.from({ length: requests }, (_, index) =>
        (fleet[index % fleet.length] as Server).ask('/open/path/fifty/x', { headers }),
      ),
    )
    for (const answer of answers) {
      expect([200, 429]).toContain(answer.status)
      // Counted by all of them together, and by none for itself.
      expect(answer.header('ratelimit')).toBeDefined()
    }
    return answers.filter(({ status }) => status === 200).length
  }

  it('admits exactly as many of 200 as the limit says, from the first request on and ten times over', async () => {
    const fleet = await start()
    for (let round = 0; round < 10; round++) expect(await admitted(fleet, 200)).toBe(LIMIT)
    for (const server of fleet) expect(await server.stop()).toBe(0)
  }, 60_000)
}
