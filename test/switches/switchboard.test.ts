import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import type { Store } from '../../src/store/store.ts'
import { createSwitchboard, type SwitchboardOptions } from '../../src/switches/switchboard.ts'
import {
  NO_SWITCHES,
  SWITCHES_KEY,
  type Switches,
  withBlocked,
  withWindow,
} from '../../src/switches/switches.ts'

const NOON = Date.parse('2030-01-31T12:00:00Z')
const closing = (switches: Switches, message = 'Moving') =>
  withWindow(switches, { from: null, until: null, message, allow: [] }, 'operator', NOON)
const CLOSED = JSON.stringify(closing(NO_SWITCHES))
const OPEN = JSON.stringify(NO_SWITCHES)

/** A store that others share: it counts who reads, and fails as it is told. */
const sharedStore = () => {
  const kept = createMemoryStore()
  const store = {
    isAway: false,
    reads: 0,
    swaps: 0,
    /** Done between a read and what follows it. */
    meanwhile: (): void => {},
    text: () => kept.read(SWITCHES_KEY) as string | null,
    put: (text: string) => void kept.swap(SWITCHES_KEY, kept.read(SWITCHES_KEY) as string | null, text),
    async read(key: string) {
      store.reads++
      if (store.isAway) return undefined
      const text = await kept.read(key)
      store.meanwhile()
      return text
    },
    async swap(...args: Parameters<Store['swap']>) {
      store.swaps++
      return store.isAway ? undefined : kept.swap(...args)
    },
  }
  return store
}

beforeEach(() => void vi.useFakeTimers({ now: NOON }))
afterEach(() => void vi.useRealTimers())
const wait = (ms: number) => vi.advanceTimersByTimeAsync(ms)

const createBoard = (options: Partial<SwitchboardOptions> = {}) => {
  const store = sharedStore()
  const told: string[] = []
  const board = createSwitchboard({
    store,
    remote: true,
    onChange: () => void told.push('changed'),
    onUnreadable: (why) => void told.push(why),
    ...options,
  })
  /** A request that takes the board along and is answered at once. */
  const ride = (text: string | null | undefined | { error: string }, now = Date.now()) => {
    vi.setSystemTime(now)
    const boarding = board.board()
    const reply = typeof text === 'object' && text !== null ? text : { result: text }
    boarding?.arrive(text === undefined ? undefined : [reply])
    return boarding?.commands ?? []
  }
  const message = () => board.windowAt(Date.now())?.message
  return { board, store, told, ride, message }
}

describe('as a rider', () => {
  test('asks once in five seconds, by one command', () => {
    const { ride } = createBoard()
    expect(ride(OPEN)).toEqual([['GET', 'parapet:switches']])
    for (const after of [0, 1, 4999]) expect(ride(OPEN, NOON + after)).toEqual([])
    expect(ride(OPEN, NOON + 5000)).toHaveLength(1)
    expect(ride(OPEN, NOON + 9999)).toEqual([])
  })

  test('what it brought is stale five seconds after it was asked for, not after it came', async () => {
    const { board } = createBoard()
    const boarding = board.board()
    await wait(150)
    boarding?.arrive([{ result: OPEN }])
    expect(board.isStale(NOON + 4999)).toBe(false)
    expect(board.isStale(NOON + 5000)).toBe(true)
  })

  test('what it brought holds', () => {
    const { ride, board, message } = createBoard()
    ride(JSON.stringify(withBlocked(JSON.parse(CLOSED), '/api/x/*', 'operator', NOON)))
    expect(message()).toBe('Moving')
    expect(board.isBlocked('/API/x/1')).toBe(true)
    expect(board.known).toBe(true)
    ride(OPEN, NOON + 5000)
    expect(message()).toBeUndefined()
    expect(board.isBlocked('/api/x/1')).toBe(false)
  })

  test('while somebody is asking nobody else does, unless no answer comes', async () => {
    const { board } = createBoard()
    expect(board.isDue(NOON)).toBe(true)
    board.board()
    await wait(199)
    expect(board.isDue(Date.now())).toBe(false)
    expect(board.board()).toBeUndefined()
    expect(board.isStale(Date.now())).toBe(true)
    await wait(1)
    expect(board.isDue(Date.now())).toBe(true)
    expect(board.board()?.commands).toHaveLength(1)
  })

  test('a clock that is set back makes nothing fresh for longer', () => {
    const { board, ride } = createBoard()
    ride(OPEN)
    expect(board.isStale(NOON - 3_600_000)).toBe(true)
  })
})

test('an answer that is late is not taken for that of whoever asked next', async () => {
  const { board, message } = createBoard()
  const first = board.board()
  await wait(250)
  const second = board.board()
  first?.arrive([{ result: OPEN }])
  // What was asked for earlier is good for as long less.
  expect(board.isStale(NOON + 5000)).toBe(true)
  second?.arrive([{ result: CLOSED }])
  await wait(5000)
  board.board()?.arrive([{ result: CLOSED }])
  expect(message()).toBe('Moving')
})

describe('what cannot be read', () => {
  test.each<[what: string, answer: string | undefined | { error: string }, why: string]>([
    ['no answer', undefined, 'away'],
    ['an error', { error: 'WRONGTYPE Operation against a key' }, 'garbage'],
    ['a text that is no document', 'off', 'garbage'],
    ['an empty text', '', 'garbage'],
    ['a document that was parsed on the way', JSON.parse(OPEN), 'garbage'],
  ])('%s keeps the last known switches, and is told of once', (_, answer, why) => {
    const { ride, told, message, board } = createBoard()
    ride(CLOSED)
    for (let after = 5000; after < 30_000; after += 5000) ride(answer as string, NOON + after)
    expect(message()).toBe('Moving')
    expect(board.known).toBe(true)
    expect(told).toEqual(['changed', why])
    ride(OPEN, NOON + 60_000)
    ride(answer as string, NOON + 70_000)
    expect(told).toEqual(['changed', why, 'changed', why])
  })

  test('no answer counts for nothing: the next request asks again', () => {
    const { ride } = createBoard()
    ride(CLOSED)
    expect(ride(undefined, NOON + 5000)).toHaveLength(1)
    expect(ride(OPEN, NOON + 5001)).toHaveLength(1)
    expect(ride(OPEN, NOON + 5002)).toHaveLength(0)
  })

  test('garbage is not read sooner by asking again at once', () => {
    const { ride } = createBoard()
    expect(ride('garbage')).toHaveLength(1)
    expect(ride('garbage', NOON + 4999)).toHaveLength(0)
    expect(ride('garbage', NOON + 5000)).toHaveLength(1)
  })

  test('never read, the house is open by default', () => {
    const { ride, board, message } = createBoard()
    for (const answer of [undefined, 'garbage']) ride(answer)
    expect(board.known).toBe(false)
    expect(message()).toBeUndefined()
  })

  test('or closed, by choice, until it could be read once', () => {
    const { ride, board } = createBoard({ whenUnknown: 'closed' })
    expect(board.windowAt(NOON)).toMatchObject({ until: null, allow: [] })
    ride('garbage')
    expect(board.windowAt(NOON)).toBeDefined()
    ride(null, NOON + 5000)
    expect(board.windowAt(NOON)).toBeUndefined()
    ride(undefined, NOON + 10_000)
    expect(board.windowAt(NOON)).toBeUndefined()
  })

  test('the same document again is no change', () => {
    const { ride, told } = createBoard()
    ride(null)
    ride(CLOSED, NOON + 5000)
    ride(CLOSED, NOON + 10_000)
    expect(told).toEqual(['changed'])
  })
})

describe('waiting for whoever is asking', () => {
  const settling = (board: { settled(): Promise<void> }) => {
    const seen = { settled: false }
    void board.settled().then(() => {
      seen.settled = true
    })
    return seen
  }

  test('ends with the answer', async () => {
    const { board, message } = createBoard()
    const boarding = board.board()
    const seen = settling(board)
    await wait(50)
    expect(seen.settled).toBe(false)
    boarding?.arrive([{ result: CLOSED }])
    await wait(5)
    expect(seen.settled).toBe(true)
    expect(message()).toBe('Moving')
  })

  test('ends with a failure', async () => {
    const { board } = createBoard()
    const boarding = board.board()
    const seen = settling(board)
    boarding?.arrive(undefined)
    await wait(5)
    expect(seen.settled).toBe(true)
    expect(board.isDue(Date.now())).toBe(true)
  })

  test('ends where whoever asked has died', async () => {
    const { board } = createBoard()
    board.board()
    const seen = settling(board)
    await wait(205)
    expect(seen.settled).toBe(true)
    expect(board.isDue(Date.now())).toBe(true)
  })

  test('ends although the clock stands still', async () => {
    const { board } = createBoard({ clock: () => NOON })
    board.board()
    const seen = settling(board)
    await wait(300)
    expect(seen.settled).toBe(true)
  })

  test('is over at once where nobody is', async () => {
    const seen = settling(createBoard().board)
    await wait(0)
    expect(seen.settled).toBe(true)
  })
})

describe('refreshing', () => {
  test('reads by itself what is stale, and nothing else', async () => {
    const { board, store, message } = createBoard()
    store.put(CLOSED)
    await board.refresh()
    await board.refresh()
    expect(store.reads).toBe(1)
    expect(message()).toBe('Moving')
    await wait(5000)
    await board.refresh()
    expect(store.reads).toBe(2)
  })

  test('many at once are one read', async () => {
    const { board, store } = createBoard()
    const all = Promise.all(Array.from({ length: 50 }, () => board.refresh()))
    await wait(10)
    await all
    expect(store.reads).toBe(1)
  })

  test('takes what a rider brings meanwhile', async () => {
    const { board, store, message } = createBoard()
    const boarding = board.board()
    const refreshed = board.refresh()
    boarding?.arrive([{ result: CLOSED }])
    await wait(10)
    await refreshed
    expect(store.reads).toBe(0)
    expect(message()).toBe('Moving')
  })

  test('asks itself where the rider died', async () => {
    const { board, store, message } = createBoard()
    store.put(CLOSED)
    board.board()
    const refreshed = board.refresh()
    await wait(210)
    await refreshed
    expect(store.reads).toBe(1)
    expect(message()).toBe('Moving')
  })

  test('changes nothing where the store is away', async () => {
    const { board, store, told } = createBoard()
    store.isAway = true
    await board.refresh()
    expect(board.known).toBe(false)
    expect(told).toEqual(['away'])
  })
})

describe('changing', () => {
  test('is for everybody, and holds here at once', async () => {
    const { board, store, message } = createBoard()
    const after = await board.update(closing)
    expect(message()).toBe('Moving')
    expect(JSON.parse(store.text() as string)).toEqual(after)
    expect(board.isStale(NOON)).toBe(false)
  })

  test('builds on what others have stored meanwhile', async () => {
    const { board, store } = createBoard()
    store.put(JSON.stringify(withBlocked(NO_SWITCHES, '/theirs', 'command', NOON)))
    await board.update((switches) => withBlocked(switches, '/ours', 'operator', NOON))
    expect(board.isBlocked('/theirs') && board.isBlocked('/ours')).toBe(true)
  })

  test('is repeated where somebody else is faster', async () => {
    const { board, store } = createBoard()
    store.meanwhile = () => {
      store.meanwhile = () => {}
      store.put(JSON.stringify(withBlocked(NO_SWITCHES, '/theirs', 'command', NOON)))
    }
    await board.update((switches) => withBlocked(switches, '/ours', 'operator', NOON))
    expect(store.swaps).toBe(2)
    expect(board.switches.blocked.map(({ pattern }) => pattern)).toEqual(['/theirs', '/ours'])
  })

  test('is given up where others always are', async () => {
    const { board, store } = createBoard()
    let theirs = 0
    store.meanwhile = () =>
      store.put(JSON.stringify(withBlocked(NO_SWITCHES, `/${theirs++}`, 'command', NOON)))
    await expect(board.update(closing)).rejects.toMatchObject({ code: 'SWITCHES_UNAVAILABLE' })
    expect(store.swaps).toBe(5)
    expect(store.text()).not.toContain('Moving')
  })

  test('fails where the store is away, and leaves everything as it was', async () => {
    const { board, store, ride, message } = createBoard()
    ride(CLOSED)
    store.isAway = true
    await expect(board.update(() => NO_SWITCHES)).rejects.toMatchObject({
      code: 'SWITCHES_UNAVAILABLE',
      headers: { 'Retry-After': '5' },
    })
    expect(message()).toBe('Moving')
  })

  test('says where it is not known whether it was stored', async () => {
    const { board, store } = createBoard()
    store.meanwhile = () => {
      store.isAway = true
    }
    await expect(board.update(closing)).rejects.toMatchObject({
      code: 'SWITCHES_UNAVAILABLE',
      detail: expect.stringContaining('not known'),
    })
  })

  test('overwrites nothing that it cannot read', async () => {
    const { board, store } = createBoard()
    store.put('from a later version')
    await expect(board.update(closing)).rejects.toMatchObject({ code: 'SWITCHES_UNAVAILABLE' })
    expect(store.text()).toBe('from a later version')
  })

  test('that changes nothing stores nothing', async () => {
    const { board, store } = createBoard()
    await board.update((switches) => switches)
    expect(store.swaps).toBe(0)
  })

  test('never stores what nobody could read', async () => {
    const { board, store } = createBoard()
    const broken = { ...NO_SWITCHES, blocked: [{ pattern: 'x', since: '', by: '' }] }
    await expect(board.update(() => broken)).rejects.toThrow(TypeError)
    expect(store.text()).toBeNull()
  })

  test('is not undone by an answer that was on its way', async () => {
    const { board, message } = createBoard()
    const boarding = board.board()
    await board.update(closing)
    boarding?.arrive([{ result: OPEN }])
    expect(message()).toBe('Moving')
  })
})

test('without others the document is that of this process, always fresh and never asked for', async () => {
  const store = createMemoryStore()
  const board = createSwitchboard({ store, remote: false, whenUnknown: 'closed' })
  expect([board.known, board.isStale(NOON), board.isDue(NOON)]).toEqual([true, false, false])
  expect(board.board()).toBeUndefined()
  expect(board.windowAt(NOON)).toBeUndefined()
  await board.update(closing)
  await wait(60_000)
  expect(board.board()).toBeUndefined()
  expect(board.windowAt(Date.now())?.message).toBe('Moving')
})
