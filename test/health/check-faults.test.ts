import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { CANARY } from '../contract/canary.ts'
import { DRIVEN, type Driven, type Ended, TIMEOUT_MS } from './driven-checks.ts'
import { type Driver, startDriver } from './drivers.ts'
import { type Fault, type FaultyServer, nobody, startFaultyServer } from './faulty-server.ts'
import { wellSpoken } from './well-spoken.ts'

/** How a check of each kind ends, for every fault. */
const ENDS: Record<Fault, { database: string; redis: string; auth: string; origin: string }> = {
  hang: { database: 'timeout', redis: 'timeout', auth: 'timeout', origin: 'timeout' },
  reset: { database: 'refused', redis: 'refused', auth: 'refused', origin: 'refused' },
  'closed at once': { database: 'refused', redis: 'refused', auth: 'refused', origin: 'refused' },
  'no HTTP': { database: 'refused', redis: 'refused', auth: 'refused', origin: 'refused' },
  '401': { database: 'bad_response', redis: 'auth', auth: 'auth', origin: 'passed' },
  '403': { database: 'bad_response', redis: 'auth', auth: 'auth', origin: 'passed' },
  '500': { database: 'bad_response', redis: 'bad_response', auth: 'bad_response', origin: 'bad_response' },
  '503': { database: 'bad_response', redis: 'bad_response', auth: 'bad_response', origin: 'bad_response' },
  html: { database: 'bad_response', redis: 'bad_response', auth: 'bad_response', origin: 'passed' },
  'wrong JSON': { database: 'bad_response', redis: 'bad_response', auth: 'bad_response', origin: 'passed' },
  null: { database: 'bad_response', redis: 'bad_response', auth: 'bad_response', origin: 'passed' },
  'a list': { database: 'bad_response', redis: 'bad_response', auth: 'bad_response', origin: 'passed' },
  'no JSON': { database: 'bad_response', redis: 'bad_response', auth: 'bad_response', origin: 'passed' },
  empty: { database: 'bad_response', redis: 'bad_response', auth: 'bad_response', origin: 'passed' },
  'no gzip': { database: 'bad_response', redis: 'refused', auth: 'refused', origin: 'passed' },
  redirect: { database: 'bad_response', redis: 'bad_response', auth: 'bad_response', origin: 'passed' },
  'slow body': { database: 'timeout', redis: 'timeout', auth: 'timeout', origin: 'passed' },
  drip: { database: 'timeout', redis: 'timeout', auth: 'timeout', origin: 'passed' },
  abort: { database: 'bad_response', redis: 'refused', auth: 'refused', origin: 'passed' },
  flood: { database: 'timeout', redis: 'timeout', auth: 'bad_response', origin: 'passed' },
}

const KIND: Record<Driven, keyof (typeof ENDS)[Fault]> = {
  database: 'database',
  migrations: 'database',
  redis: 'redis',
  queues: 'redis',
  auth: 'auth',
  'auth keys': 'auth',
  origin: 'origin',
}

const NAMES = Object.keys(DRIVEN) as Driven[]
const forAll = <T>(value: (name: Driven) => T) => Object.fromEntries(NAMES.map((name) => [name, value(name)]))

describe.each(Object.keys(startDriver) as (keyof typeof startDriver)[])('a check on %s', (runtime) => {
  let driver: Driver
  beforeAll(async () => {
    driver = await startDriver[runtime]()
  })
  afterAll(() => driver?.close())

  const open = async (): Promise<FaultyServer> => {
    const server = await startFaultyServer(wellSpoken)
    onTestFinished(() => server.close())
    return server
  }
  /** All side by side, but for those of the database: there is one endpoint for a whole process. */
  const driveAll = async (url: string): Promise<Record<string, Ended>> => {
    const chains: Driven[][] = [
      ['database', 'migrations'],
      ['redis'],
      ['queues'],
      ['auth'],
      ['auth keys'],
      ['origin'],
    ]
    const ended: Record<string, Ended> = {}
    await Promise.all(
      chains.map(async (names) => {
        for (const name of names) ended[name] = await driver.drive(name, url)
      }),
    )
    return ended
  }
  const outcomes = (ended: Record<string, Ended>) => forAll((name) => ended[name]?.outcome)

  test.each(Object.entries(ENDS) as [Fault, (typeof ENDS)[Fault]][])('fails by %s', async (fault, ends) => {
    const server = await open()
    // Connections are open by then, as they are in a process that has run for a while.
    expect(outcomes(await driveAll(server.url))).toEqual(forAll(() => 'passed'))
    server.become(fault)
    const ended = await driveAll(server.url)
    expect(outcomes(ended)).toEqual(forAll((name) => ends[KIND[name]]))
    expect(forAll((name) => server.requests(`/${name.replace('auth keys', 'keys')}/`))).toEqual(
      forAll((name) => (name === 'auth keys' ? 2 : 1)),
    )
    for (const { took, revealed } of Object.values(ended)) {
      expect(took).toBeLessThan(TIMEOUT_MS + 700)
      for (const secret of [CANARY, 'db.example', server.url, 'select '])
        expect(revealed).not.toContain(secret)
    }
  })

  test('fails where nobody listens', async () => {
    expect(outcomes(await driveAll(await nobody()))).toEqual(forAll(() => 'refused'))
  })

  test('fails where a name cannot be resolved', async () => {
    // A Worker is not told why.
    const code = runtime === 'workerd' ? 'refused' : 'dns'
    expect(outcomes(await driveAll('http://nothing.invalid'))).toEqual(forAll(() => code))
  })
})
