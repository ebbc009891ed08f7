import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { CHARGE_SCRIPT, PLAIN_CHARGE_SCRIPT } from '../../src/store/charge-script.ts'
import { createRedisStore } from '../../src/store/redis-store.ts'
import type { Charge, Command, Reply, Rider } from '../../src/store/store.ts'

const LIMIT: Charge = { key: 'k', algorithm: 'gcra', capacity: 5, periodMs: 1000, cost: 1 }
const CONTEXT = { now: 1_800_000_000_000, waitUntil() {} }
const WELL: Reply = { result: [4, 1000, 0, 1] }
const sha = (script: string) => createHash('sha1').update(script).digest('hex')

/** A Redis whose every answer is written down, and that keeps what it was sent. */
const setUp = (answers: (Reply[] | Error)[], riders: Rider[] = []) => {
  const sent: (readonly Command[])[] = []
  const store = createRedisStore({
    timeoutMs: 1000,
    riders,
    async send(commands) {
      sent.push(commands)
      const answer = answers.shift() ?? commands.map(() => WELL)
      if (answer instanceof Error) throw answer
      return answer
    },
  })
  return { store, sent, verbs: () => sent.map((commands) => commands.map(([verb]) => verb)) }
}

describe('the script', () => {
  test('is sent whole until Redis has shown that it knows it, then by its hash', async () => {
    const two: Reply = { result: [4, 1000, 0, 1, 0, 5000, 0, 1] }
    const { store, sent } = setUp([[WELL], [two]])
    await store.charge([LIMIT], CONTEXT)
    expect(await store.charge([LIMIT, { ...LIMIT, key: 'l' }], CONTEXT)).toMatchObject({
      standings: [{ remaining: 4 }, { remaining: 0 }],
    })
    expect(sent[0]?.[0]).toEqual(['EVAL', CHARGE_SCRIPT, 1, 'k', 'gcra', 5, 1000, 1, 0])
    expect(sent[1]?.[0]?.slice(0, 5)).toEqual(['EVALSHA', sha(CHARGE_SCRIPT), 2, 'k', 'l'])
  })

  test('is sent whole again after it was forgotten, once, and nothing is charged twice', async () => {
    const { store, verbs } = setUp([[WELL], [{ error: 'NOSCRIPT No matching script.' }]])
    await store.charge([LIMIT], CONTEXT)
    expect(await store.charge([LIMIT], CONTEXT)).toMatchObject({ allowed: true })
    await store.charge([LIMIT], CONTEXT)
    expect(verbs()).toEqual([['EVAL'], ['EVALSHA'], ['EVAL'], ['EVALSHA']])
  })

  test('goes without its first line to a Redis that does not take it', async () => {
    const { store, sent } = setUp([[{ error: 'ERR Unexpected flag in script shebang: allow-key-locking' }]])
    expect(await store.charge([LIMIT], CONTEXT)).toMatchObject({ allowed: true })
    await store.charge([LIMIT], CONTEXT)
    expect(sent.map(([command]) => command?.slice(0, 2))).toEqual([
      ['EVAL', CHARGE_SCRIPT],
      ['EVAL', PLAIN_CHARGE_SCRIPT],
      ['EVALSHA', sha(PLAIN_CHARGE_SCRIPT)],
    ])
  })
})

describe('riders', () => {
  const rider = (commands: Command[]) => {
    const arrived: (readonly Reply[] | undefined)[] = []
    return {
      arrived,
      board: () =>
        commands.length > 0
          ? { commands, arrive: (replies: readonly Reply[] | undefined) => void arrived.push(replies) }
          : undefined,
    }
  }

  test('go along in the same request, and each gets its own replies', async () => {
    const one = rider([['GET', 'a']])
    const none = rider([])
    const two = rider([
      ['HSET', 'b', 'f', 1],
      ['EXPIRE', 'b', 60],
    ])
    const replies: Reply[] = [WELL, { result: 'A' }, { result: 1 }, { error: 'ERR no' }]
    const { store, verbs } = setUp([replies], [one, none, two])
    expect(await store.charge([LIMIT], CONTEXT)).toMatchObject({ allowed: true })
    expect(verbs()).toEqual([['EVAL', 'GET', 'HSET', 'EXPIRE']])
    expect(one.arrived).toEqual([[{ result: 'A' }]])
    expect(two.arrived).toEqual([[{ result: 1 }, { error: 'ERR no' }]])
    expect(none.arrived).toEqual([])
  })

  test('are told when no answer came', async () => {
    const one = rider([['GET', 'a']])
    const { store } = setUp([new Error('reset')], [one])
    await expect(store.charge([LIMIT], CONTEXT)).rejects.toThrow('reset')
    expect(one.arrived).toEqual([undefined])
  })

  test('are heard although the charge itself failed', async () => {
    const one = rider([['GET', 'a']])
    const { store } = setUp([[{ error: 'WRONGTYPE' }, { result: 'A' }]], [one])
    await expect(store.charge([LIMIT], CONTEXT)).rejects.toThrow()
    expect(one.arrived).toEqual([[{ result: 'A' }]])
  })

  test('make a request of their own where nothing is charged, and nobody makes one for nothing', async () => {
    const { store, verbs } = setUp([[{ result: 'A' }]], [rider([['GET', 'a']])])
    await store.charge([], CONTEXT)
    expect(verbs()).toEqual([['GET']])
    const empty = setUp([])
    await empty.store.charge([], CONTEXT)
    expect(empty.sent).toEqual([])
  })
})

test.each<[what: string, reply: Reply]>([
  ['nothing', { result: null }],
  ['a text', { result: 'OK' }],
  ['too few numbers', { result: [1, 2, 3] }],
  ['too many', { result: [1, 2, 3, 4, 5] }],
  ['no whole numbers', { result: [1, 2.5, 3, 4] }],
  ['texts', { result: ['1', '2', '3', '4'] }],
  ['an error', { error: 'ERR' }],
])('an answer of %s is no verdict', async (_, reply) => {
  const { store } = setUp([[reply]])
  await expect(store.charge([LIMIT], CONTEXT)).rejects.toMatchObject({ failure: 'bad_response' })
})
