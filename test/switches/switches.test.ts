import { describe, expect, test } from 'vitest'
import {
  NO_SWITCHES,
  openWindow,
  parseSwitches,
  type Switches,
  type Window,
  type WindowRequest,
  withBlocked,
  withoutBlocked,
  withoutWindows,
  withWindow,
} from '../../src/switches/switches.ts'

const NOON = Date.parse('2030-01-31T12:00:00Z')
const HOUR = 3_600_000
const iso = (time: number) => new Date(time).toISOString()

const request = (window: Partial<WindowRequest> = {}): WindowRequest => ({
  from: null,
  until: null,
  message: null,
  allow: [],
  ...window,
})
const on = (switches: Switches, window: Partial<WindowRequest> = {}, now = NOON) =>
  withWindow(switches, request(window), 'operator', now)
const spans = ({ windows }: Switches) => windows.map(({ from, until }) => [from, until])

const window = (from: number, until: number | null, id = 'w'): Window => ({
  id,
  from: iso(from),
  until: until === null ? null : iso(until),
  message: null,
  allow: [],
  by: 'operator',
})
const withWindows = (...windows: Window[]): Switches => ({ ...NO_SWITCHES, windows })

describe('the document', () => {
  test('none is one in which nothing is flipped', () => {
    expect(parseSwitches(null)).toEqual({ epoch: '', windows: [], blocked: [] })
  })

  test('is read as it was written', () => {
    const written = withBlocked(
      on(NO_SWITCHES, { until: NOON + HOUR, message: 'Moving', allow: ['10.0.0.0/8', '2001:db8::/32'] }),
      '/api/reports/*',
      'command',
      NOON,
    )
    expect(parseSwitches(JSON.stringify(written))).toEqual(written)
  })

  const valid = { epoch: 'e', windows: [window(NOON, null)], blocked: [] }
  test.each<[what: string, text: string]>([
    ['nothing', ''],
    ['no JSON', 'off'],
    ['half of it', JSON.stringify(valid).slice(0, -5)],
    ['null', 'null'],
    ['a number', '1'],
    ['a word', '"false"'],
    ['a list', '[]'],
    ['another object', '{"maintenance":false}'],
    ['no epoch', JSON.stringify({ ...valid, epoch: undefined })],
    ['no list of windows', JSON.stringify({ ...valid, windows: {} })],
    ['no list of blocks', JSON.stringify({ ...valid, blocked: undefined })],
    [
      'a window without a zone',
      JSON.stringify({ ...valid, windows: [{ ...window(NOON, null), from: '2030-01-31T12:00:00' }] }),
    ],
    [
      'a window that allows what is no range',
      JSON.stringify({ ...valid, windows: [{ ...window(NOON, null), allow: ['everybody'] }] }),
    ],
    [
      'a message of two lines',
      JSON.stringify({ ...valid, windows: [{ ...window(NOON, null), message: 'a\nb' }] }),
    ],
    [
      'a bad pattern',
      JSON.stringify({ ...valid, blocked: [{ pattern: 'api', since: iso(NOON), by: 'operator' }] }),
    ],
    ['too many windows', JSON.stringify({ ...valid, windows: Array(21).fill(window(NOON, null)) })],
  ])('%s cannot be read, and is never an open house', (_, text) => {
    expect(parseSwitches(text)).toBeUndefined()
  })
})

describe('a window', () => {
  test('is open from its beginning until just before its end', () => {
    const switches = withWindows(window(NOON, NOON + HOUR))
    const isOpen = (now: number) => openWindow(switches, now) !== undefined
    expect([NOON - 1, NOON, NOON + HOUR - 1, NOON + HOUR].map(isOpen)).toEqual([false, true, true, false])
  })

  test('without an end is open for good', () => {
    expect(openWindow(withWindows(window(NOON, null)), NOON + 1e6 * HOUR)).toBeDefined()
  })

  test('of several that are open, the one that ends last counts', () => {
    const long = window(NOON, NOON + 2 * HOUR, 'long')
    const short = window(NOON, NOON + HOUR, 'short')
    const endless = window(NOON, null, 'endless')
    expect(openWindow(withWindows(short, long), NOON)?.id).toBe('long')
    expect(openWindow(withWindows(long, short), NOON)?.id).toBe('long')
    expect(openWindow(withWindows(endless, long), NOON)?.id).toBe('endless')
  })
})

describe('closing the house', () => {
  test('at once replaces what is open, and leaves what is scheduled', () => {
    const before = withWindows(window(NOON - HOUR, null), window(NOON + HOUR, NOON + 2 * HOUR))
    expect(spans(on(before, { until: NOON + HOUR / 2 }))).toEqual([
      [iso(NOON + HOUR), iso(NOON + 2 * HOUR)],
      [iso(NOON), iso(NOON + HOUR / 2)],
    ])
  })

  test('later stands beside what is open', () => {
    const before = withWindows(window(NOON - HOUR, null))
    expect(spans(on(before, { from: NOON + HOUR, until: NOON + 2 * HOUR }))).toHaveLength(2)
  })

  test('forgets what is over', () => {
    expect(spans(on(withWindows(window(NOON - 2 * HOUR, NOON))))).toEqual([[iso(NOON), null]])
  })

  test('is refused where there are too many', () => {
    const full = withWindows(...Array(20).fill(window(NOON + HOUR, NOON + 2 * HOUR)))
    expect(() => on(full)).toThrow(expect.objectContaining({ code: 'CONFLICT' }))
  })

  test('has another epoch each time', () => {
    const first = on(NO_SWITCHES)
    const second = on(first)
    expect(new Set([NO_SWITCHES.epoch, first.epoch, second.epoch]).size).toBe(3)
  })
})

describe('opening the house', () => {
  const before = withWindows(
    window(NOON - HOUR, null),
    window(NOON - HOUR, NOON + HOUR),
    window(NOON + HOUR, NOON + 2 * HOUR),
  )

  test('ends everything that is open, and leaves what is scheduled', () => {
    const after = withoutWindows(before, NOON)
    expect(spans(after)).toEqual([[iso(NOON + HOUR), iso(NOON + 2 * HOUR)]])
    expect(after.epoch).not.toBe(before.epoch)
  })

  test('takes back what is scheduled where that is asked for', () => {
    expect(withoutWindows(before, NOON, { all: true }).windows).toEqual([])
  })

  test('changes nothing where it is open', () => {
    const open = withWindows(window(NOON + HOUR, NOON + 2 * HOUR))
    expect(withoutWindows(open, NOON)).toBe(open)
  })
})

describe('blocked endpoints', () => {
  test('are added once, however they are spelled', () => {
    const once = withBlocked(NO_SWITCHES, '/api/reports/*', 'operator', NOON)
    expect(once.blocked).toEqual([{ pattern: '/api/reports/*', since: iso(NOON), by: 'operator' }])
    expect(withBlocked(once, '/API/Reports/*', 'command', NOON + 1)).toBe(once)
    expect(withBlocked(once, '/api/reports', 'command', NOON).blocked).toHaveLength(2)
  })

  test('are opened again, however they are spelled, and nothing else is', () => {
    const two = withBlocked(withBlocked(NO_SWITCHES, '/a', 'operator', NOON), '/a/*', 'operator', NOON)
    expect(withoutBlocked(two, '/A/').blocked.map(({ pattern }) => pattern)).toEqual(['/a/*'])
    expect(withoutBlocked(two, '/A/*').blocked.map(({ pattern }) => pattern)).toEqual(['/a'])
    expect(() => withoutBlocked(two, '/b')).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }))
  })

  test('leave the epoch of the windows alone', () => {
    const before = on(NO_SWITCHES)
    expect(withoutBlocked(withBlocked(before, '/a', 'operator', NOON), '/a').epoch).toBe(before.epoch)
  })

  test('are refused where there are too many', () => {
    let switches = NO_SWITCHES
    for (let i = 0; i < 200; i++) switches = withBlocked(switches, `/${i}`, 'operator', NOON)
    expect(() => withBlocked(switches, '/more', 'operator', NOON)).toThrow(
      expect.objectContaining({ code: 'CONFLICT' }),
    )
    expect(parseSwitches(JSON.stringify(switches))).toEqual(switches)
  })
})
