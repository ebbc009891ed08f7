import { describe, expect, test } from 'vitest'
import { defaultPolicies, withDefaults } from '../../src/limits/default-policies.ts'
import { compilePolicies, milliseconds, type Policy } from '../../src/limits/policy.ts'

const api: Policy = { name: 'api', match: '/*', by: 'ip', limit: 100, per: '60s' }
const compile = (over: object) => compilePolicies([{ ...api, ...over } as Policy])

describe('a policy that cannot be is refused at start, with what would be right', () => {
  test.each<[over: object, message: RegExp]>([
    [{ name: '' }, /a name is up to 64 letters/],
    [{ name: 'a"b' }, /a name is up to 64 letters/],
    [{ match: 'api/*' }, /pattern is \/path/],
    [{ match: '/a*b' }, /pattern is \/path/],
    [{ match: ['/a', 'post /b'] }, /pattern is \/path/],
    [{ by: 'country' }, /by must be ip, user, apiKey, tenant or custom/],
    [{ by: 'custom' }, /custom needs it/],
    [{ key: () => 'k' }, /key goes with by: custom/],
    [{ limit: 0 }, /limit must be a whole number, 1 or more/],
    [{ limit: 1.5 }, /limit must be/],
    [{ limit: '100' }, /limit must be/],
    [{ limit: Number.POSITIVE_INFINITY }, /limit must be/],
    [{ per: '1 minute' }, /per must be a time such as 60s/],
    [{ per: '0s' }, /per must be/],
    [{ per: '-1s' }, /per must be/],
    [{ per: '0.1ms' }, /per must be/],
    [{ per: '366d' }, /up to 365d/],
    [{ limit: 1_000_000, per: '1s' }, /limit must be at most 20000 in 1s/],
    [{ per: 60 }, /per must be/],
    [{ burst: 0 }, /burst must be/],
    [{ cost: 101 }, /cost must be a whole number from 0 to the burst, 100/],
    [{ cost: 11, burst: 10 }, /to the burst, 10/],
    [{ cost: -1 }, /cost must be/],
    [{ strict: true, limit: 101 }, /strict is for limits up to 100/],
    [{ strict: true, burst: 5 }, /strict knows no burst/],
    [{ strict: true, lease: 5 }, /strict cannot be leased/],
    [{ lease: 5, refund: () => true }, /leave refund or lease out/],
    [{ lease: 1 }, /lease must be a whole number from 2 to a tenth of the limit/],
    [{ lease: 11 }, /lease must be/],
    [{ lease: 10, burst: 2 }, /burst is too small to be leased from/],
    [{ onStoreFailure: 'shut' }, /onStoreFailure must be local, open or closed/],
  ])('%j', (over, message) => {
    expect(() => compile(over)).toThrow(TypeError)
    expect(() => compile(over)).toThrow(message)
  })

  test('and so are two of one name', () => {
    expect(() => compilePolicies([api, api])).toThrow(/two rate limits named api/)
  })
})

test.each([
  ['500ms', 500],
  ['60s', 60_000],
  ['1.5s', 1500],
  ['1.1h', 3_960_000],
  ['0.07h', 252_000],
  ['1.0005s', 1001],
  ['15m', 900_000],
  ['1h', 3_600_000],
  ['1d', 86_400_000],
  ['1', undefined],
  ['s', undefined],
  ['1w', undefined],
])('%s is %s milliseconds', (text, expected) => {
  expect(milliseconds(text)).toBe(expected)
})

describe('the defaults', () => {
  const defaults = defaultPolicies({ limit: 100, windowMs: 60_000 })

  test('are five tries to log in and a hundred requests a minute, as the variables say', () => {
    expect(compilePolicies(defaults)).toMatchObject([
      { name: 'login', by: 'ip', limit: 5, perMs: 900_000, algorithm: 'log', mode: 'closed' },
      { name: 'api', by: 'user', limit: 100, perMs: 60_000, algorithm: 'gcra', mode: 'local' },
    ])
    const [login] = defaults
    expect([200, 204, 302, 401].map((status) => login?.refund?.(status))).toEqual([true, true, false, false])
    expect(compilePolicies(defaultPolicies({ limit: 7, windowMs: 1500 }))[1]).toMatchObject({
      limit: 7,
      perMs: 1500,
    })
  })

  test("a team's own stands beside them, or in the place of the one with its name", () => {
    const own: Policy[] = [
      { ...api, limit: 5 },
      { ...api, name: 'reports' },
    ]
    expect(withDefaults(defaults, own).map(({ name, limit }) => `${name} ${limit}`)).toEqual([
      'login 5',
      'api 5',
      'reports 100',
    ])
  })
})
