import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/config.ts'
import { createMaintenance, type Maintenance } from '../../src/switches/maintenance.ts'
import { NO_SWITCHES, openWindow, type Switches, withWindow } from '../../src/switches/switches.ts'

const NOON = Date.parse('2030-01-31T12:00:00Z')
const HOUR = 3_600_000

const windowed = (until: number | null = null, message: string | null = null, from: number | null = null) =>
  withWindow(NO_SWITCHES, { from, until, message, allow: ['203.0.113.0/24'] }, 'operator', NOON)

const house = (env: Record<string, string> = {}, switches: Switches = NO_SWITCHES) => {
  const { config } = loadConfig({ NODE_ENV: 'test', ...env })
  const board = { switches, known: true, windowAt: (now: number) => openWindow(board.switches, now) }
  const told: (Maintenance['source'] | 'open')[] = []
  const maintenance = createMaintenance({
    settings: config,
    board,
    onChange: (current) => void told.push(current?.source ?? 'open'),
  })
  return { ...maintenance, board, told }
}

describe('the environment', () => {
  test('closes the house', () => {
    const env = { MAINTENANCE_MODE: 'true', MAINTENANCE_MESSAGE: 'Soon', MAINTENANCE_ALLOWED_IPS: '10.0.0.1' }
    expect(house(env).at(NOON)).toMatchObject({
      source: 'environment',
      message: 'Soon',
      allow: ['10.0.0.1'],
      until: undefined,
    })
  })

  test('wins over the switch, also where that would last longer', () => {
    const env = { MAINTENANCE_MODE: 'true', MAINTENANCE_UNTIL: '2030-01-31T13:00:00Z' }
    const { at } = house(env, windowed(NOON + 2 * HOUR, 'By switch'))
    expect(at(NOON)).toMatchObject({ source: 'environment', message: undefined, until: NOON + HOUR })
    expect(at(NOON + HOUR)).toMatchObject({ source: 'switch', message: 'By switch' })
    expect(at(NOON + 2 * HOUR)).toBeUndefined()
  })

  test('ends by itself, and is over where its end is in the past', () => {
    const ended = house({ MAINTENANCE_MODE: 'true', MAINTENANCE_UNTIL: '2030-01-31T14:00:00+02:00' })
    expect(ended.at(NOON - 1)).toBeDefined()
    expect(ended.at(NOON)).toBeUndefined()
  })

  test.each([{}, { MAINTENANCE_MODE: 'false' }])('leaves it to the switch: %j', (env) => {
    expect(house(env).at(NOON)).toBeUndefined()
    expect(house(env, windowed()).at(NOON)).toMatchObject({ source: 'switch' })
  })

  test('has a message and addresses for the switch too', () => {
    const env = { MAINTENANCE_MESSAGE: 'By default', MAINTENANCE_ALLOWED_IPS: '10.0.0.1' }
    expect(house(env, windowed()).at(NOON)).toMatchObject({
      message: 'By default',
      allow: ['10.0.0.1', '203.0.113.0/24'],
    })
    expect(house(env, windowed(null, 'Its own')).at(NOON)?.message).toBe('Its own')
  })

  test('has another epoch with other settings, and the same with the same', () => {
    const epoch = (env: Record<string, string>) => house({ MAINTENANCE_MODE: 'true', ...env }).at(NOON)?.epoch
    const epochs = [
      epoch({}),
      epoch({ MAINTENANCE_MESSAGE: 'a' }),
      epoch({ MAINTENANCE_UNTIL: '2031-01-01T00:00:00Z' }),
      epoch({ MAINTENANCE_ALLOWED_IPS: '::1' }),
    ]
    expect(new Set(epochs).size).toBe(4)
    expect(epoch({ MAINTENANCE_MESSAGE: 'a' })).toBe(epochs[1])
  })
})

test('is one object as long as it is one maintenance', () => {
  const { at } = house({}, windowed())
  expect(at(NOON)).toBe(at(NOON + HOUR))
})

test('its beginning, change and end are told once each', () => {
  const { at, told, board } = house({}, windowed(NOON + HOUR))
  for (const now of [NOON, NOON + 1, NOON + 2]) at(now)
  expect(told).toEqual(['switch'])
  board.switches = windowed(NOON + 2 * HOUR)
  at(NOON + 3)
  at(NOON + HOUR)
  expect(told).toEqual(['switch', 'switch'])
  at(NOON + 2 * HOUR)
  // A visit that came before the end.
  at(NOON + 2 * HOUR - 1)
  at(NOON + 2 * HOUR + 1)
  expect(told).toEqual(['switch', 'switch', 'open'])
})

describe('the state for operators', () => {
  test('of an open house', () => {
    expect(house().stateAt(NOON)).toEqual({
      active: false,
      source: null,
      until: null,
      message: null,
      windows: [],
      known: true,
    })
  })

  test('shows windows that are open and to come, and none that are over', () => {
    const later = withWindow(
      windowed(NOON + HOUR, 'Now'),
      { from: NOON + HOUR, until: NOON + 2 * HOUR, message: null, allow: [] },
      'command',
      NOON,
    )
    const { stateAt } = house({}, later)
    expect(stateAt(NOON)).toMatchObject({
      active: true,
      source: 'switch',
      until: '2030-01-31T13:00:00.000Z',
      message: 'Now',
      windows: [
        { open: true, by: 'operator' },
        { open: false, by: 'command' },
      ],
    })
    expect(stateAt(NOON + HOUR)).toMatchObject({ message: null, windows: [{ open: true }] })
    expect(stateAt(NOON + 2 * HOUR)).toMatchObject({ active: false, windows: [] })
  })

  test('shows by whom it is closed', () => {
    expect(house({ MAINTENANCE_MODE: '1' }, windowed()).stateAt(NOON)).toMatchObject({
      source: 'environment',
      windows: [{ open: true }],
    })
  })
})
