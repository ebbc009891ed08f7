import { describe, expect, test } from 'vitest'
import { blockInput, windowInput } from '../../src/switches/switch-input.ts'

const NOON = Date.parse('2030-01-31T12:00:00Z')
const HOUR = 3_600_000

const refusals = (input: unknown) =>
  windowInput(NOON)
    .safeParse(input)
    .error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)

describe('a maintenance', () => {
  test('is everything that may be left out', () => {
    const nothing = { message: null, from: null, until: null, allow: [] }
    expect(windowInput(NOON).parse({})).toEqual(nothing)
    expect(windowInput(NOON).parse({ message: null, from: null, until: null, allow: null })).toEqual(nothing)
  })

  test.each([
    ['90s', 90_000],
    ['30m', HOUR / 2],
    ['2h', 2 * HOUR],
    ['1d', 24 * HOUR],
    [' 1h ', HOUR],
    ['2030-01-31T13:00:00Z', HOUR],
    ['2030-01-31T13:00Z', HOUR],
    ['2030-01-31T14:00:00+01:00', HOUR],
    ['2030-01-31T08:30:00.250-04:30', HOUR + 250],
    ['2032-02-29T12:00:00Z', 759 * 24 * HOUR],
  ])('ends %s', (until, after) => {
    expect(windowInput(NOON).parse({ until })).toMatchObject({ until: NOON + after })
  })

  test('is scheduled by both of its ends', () => {
    expect(windowInput(NOON).parse({ from: '1h', until: '2030-01-31T14:00:00Z' })).toMatchObject({
      from: NOON + HOUR,
      until: NOON + 2 * HOUR,
    })
  })

  test('has a message without blanks around it, and ranges', () => {
    const input = {
      message: ' Été, 日本, 🚧 ',
      allow: [' 10.0.0.0/8', '203.0.113.7', '::1', '2001:db8::/32'],
    }
    expect(windowInput(NOON).parse(input)).toMatchObject({
      message: 'Été, 日本, 🚧',
      allow: ['10.0.0.0/8', '203.0.113.7', '::1', '2001:db8::/32'],
    })
  })

  test.each([
    'tomorrow',
    '',
    '30',
    'h',
    '-1h',
    '1.5h',
    '1 h',
    '1w',
    '9999999m',
    '2030-02-01',
    '2030-02-01T12:00:00',
    '2030-02-30T12:00:00Z',
    '2031-02-29T12:00:00Z',
    '2030-02-01T24:00:00Z',
    '2030-02-01T12:60:00Z',
    '2030-02-01T12:00:00+0100',
    '2030-02-01 12:00:00Z',
    '01.02.2030 12:00',
    '9999-12-31T23:59:59-12:00',
    'Infinity',
    1_900_000_000_000,
    true,
    {},
  ])('does not end %j: says what would be right', (until) => {
    expect(refusals({ until })).toEqual([
      'until: must be a date and time with its zone, such as 2030-01-31T18:00:00Z, or a time from now, such as 30m, 2h or 1d',
    ])
  })

  test.each<[what: string, input: object, said: RegExp]>([
    ['an end in the past', { until: '2030-01-31T11:59:59Z' }, /^until: must be in the future$/],
    ['an end now', { until: '0m' }, /^until: must be in the future$/],
    [
      'a beginning in the past',
      { from: '2029-01-31T12:00:00Z', until: '1h' },
      /^from: must be in the future/,
    ],
    ['a beginning now', { from: '2030-01-31T12:00:00Z', until: '1h' }, /^from: must be in the future/],
    ['a beginning without an end', { from: '1h' }, /^until: must be given together with from/],
    ['an end before the beginning', { from: '2h', until: '1h' }, /^until: must be after from$/],
    ['an end at the beginning', { from: '1h', until: '1h' }, /^until: must be after from$/],
    ['an empty message', { message: ' ' }, /^message: must be one line of 1 to 500 characters$/],
    ['a long message', { message: 'x'.repeat(501) }, /^message: must be one line/],
    ['a message of two lines', { message: 'a\nb' }, /^message: must be one line/],
    ['a message with an escape', { message: 'a\u001b[31mb' }, /^message: must be one line/],
    ['a message with a NUL', { message: 'a\0b' }, /^message: must be one line/],
    ['a message with a line separator', { message: 'a\u2028b' }, /^message: must be one line/],
    ['a message with half a character', { message: '\ud83d' }, /^message: must be one line/],
    ['a message that is none', { message: 5 }, /^message: must be one line/],
    ['a range that is none', { allow: ['10.0.0.0/8', 'x'] }, /^allow\.1: must be an address or a CIDR/],
    ['a range too wide', { allow: ['10.0.0.0/33'] }, /^allow\.0: must be an address or a CIDR/],
    ['octal digits', { allow: ['010.0.0.0/8'] }, /^allow\.0: must be an address or a CIDR/],
    ['a number for an address', { allow: ['2130706433'] }, /^allow\.0: must be an address or a CIDR/],
    ['an empty range', { allow: [''] }, /^allow\.0: must be an address or a CIDR/],
    ['ranges in one text', { allow: '10.0.0.0/8' }, /^allow: must be a list of at most 100/],
    ['too many ranges', { allow: Array(101).fill('::1') }, /^allow: must be a list of at most 100/],
    ['another member', { mesage: 'x' }, /^: must be an object of message, from, until and allow/],
    ['a list', [], /^: must be an object/],
  ])('refuses %s', (_, input, said) => {
    expect(refusals(input)).toEqual([expect.stringMatching(said)])
  })

  test('refuses everything that is wrong at once, and repeats none of it', () => {
    const said = refusals({ from: 'CANARY', until: 'CANARY', message: 'CANARY\nCANARY', allow: ['CANARY'] })
    expect(said).toHaveLength(4)
    expect(said?.join()).not.toContain('CANARY')
  })
})

describe('an endpoint to block', () => {
  test.each(['/', '/*', '/a', '/a/', '/a/*', '/a/b/*', '/café', '/a b/c', '/a.json', ' /a '])(
    'may be %j',
    (pattern) => {
      expect(blockInput.parse({ pattern })).toEqual({ pattern: pattern.trim() })
    },
  )

  test.each([
    '',
    'a',
    'api/*',
    '*',
    '/a*',
    '/*/a',
    '/a/**',
    '/a/*/b',
    '//',
    '//*',
    '/a//b',
    '/a/../b',
    '/./a',
    '/a/..',
    '/a?b=c',
    '/a#b',
    '/a;b',
    '/a%20b',
    '/a\\b',
    '/ /a',
    '/a\0',
    '/a\nb',
    '/\ud800',
    'https://x/a',
    `/${'x'.repeat(500)}`,
    5,
    null,
    undefined,
  ])('may not be %j: says what would be right', (pattern) => {
    expect(blockInput.safeParse({ pattern }).error?.issues[0]?.message).toMatch(
      /^must be \/exact or \/prefix\/\*/,
    )
  })

  test('has no other member', () => {
    expect(blockInput.safeParse({ pattern: '/a', until: '1h' }).success).toBe(false)
  })
})
