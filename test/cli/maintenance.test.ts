import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run } from './run.ts'
import { instancePlace, OPERATOR_TOKEN, type Place, redisPlace, silentPort } from './switch-places.ts'

const json = ({ out }: { out: string }) => JSON.parse(out)

describe.each([
  ['in Redis', redisPlace, 'command'],
  ['through an instance', () => instancePlace(), 'operator'],
])('parapet maintenance %s', (_, open, by) => {
  let place: Place
  beforeAll(async () => {
    place = await open()
  })
  afterAll(() => place.close())
  const maintenance = (...args: string[]) => run(['maintenance', ...args, ...place.options], place.env)

  test('says how it stands, before anything was flipped', async () => {
    expect(await maintenance('status')).toMatchObject({ code: 0, out: 'Maintenance: off\n', err: '' })
    expect(json(await maintenance('status', '--json'))).toEqual({
      active: false,
      source: null,
      until: null,
      message: null,
      windows: [],
      known: true,
    })
  })

  test('closes at once, schedules, and opens again', async () => {
    const on = await maintenance('on', '--message', 'Moving', '--until', '30m', '--allow', '10.0.0.0/8, ::1')
    expect(on).toMatchObject({ code: 0, err: '' })
    expect(on.out).toMatch(
      /^Maintenance: on, by the switch, until \d{4}-\d\d-\d\dT[\d:.]+Z\nMessage: Moving\n/,
    )
    expect(on.out).toMatch(/^open +\S+Z +\S+Z +\w+ +10\.0\.0\.0\/8,::1 +Moving$/m)

    const scheduled = await maintenance('on', '--from', '1h', '--until', '2h', '--json')
    expect(json(scheduled)).toMatchObject({
      active: true,
      source: 'switch',
      message: 'Moving',
      windows: [
        { open: true, by, allow: ['10.0.0.0/8', '::1'] },
        { open: false, by },
      ],
    })
    expect(json(await maintenance('status', '--json'))).toEqual(json(scheduled))

    const off = await maintenance('off')
    expect(off.code).toBe(0)
    expect(off.out).toMatch(/^Maintenance: off\n/)
    expect(off.out).toMatch(/^scheduled /m)
    expect(json(await maintenance('off', '--all', '--json')).windows).toEqual([])
    expect((await maintenance('off')).code).toBe(0)
  })

  test('closes without an end and without a message', async () => {
    expect((await maintenance('on')).out).toMatch(/^Maintenance: on, by the switch, without an end\n/)
    await maintenance('off')
  })

  test.each<[args: string[], said: RegExp]>([
    [[], /action is missing: one of on, off, status/],
    [['nope'], /one of on, off, status, not "nope"/],
    [['on', 'off'], /no place for "off"/],
    [['on', '--until', 'tomorrow'], /--until must be a date and time with its zone, such as/],
    [['on', '--until', '2030-01-31T18:00:00'], /--until must be a date and time with its zone/],
    [['on', '--until', '2020-01-31T18:00:00Z'], /--until must be in the future/],
    [['on', '--from', '2h', '--until', '1h'], /--until must be after from/],
    [['on', '--from', '1h'], /--until must be given together with from/],
    [['on', '--from', '2020-01-31T18:00:00Z', '--until', '1h'], /--from must be in the future/],
    [['on', '--allow', '10.0.0.0/8,x'], /--allow must be an address or a CIDR, such as/],
    [['on', '--allow', ''], /--allow must be an address or a CIDR/],
    [['on', '--message', ''], /--message must be one line of 1 to 500 characters/],
    [['on', '--message', 'a\u001b[0mb'], /--message must be one line/],
    [['on', '--message'], /--message/],
    [['on', '--until', '1h', '--until', '2h'], /--until must be given once/],
    [['on', '--all'], /--all goes with off only/],
    [['off', '--until', '1h'], /--until goes with on only/],
    [['status', '--message', 'x'], /--message goes with on only/],
    [['on', '--reason', 'x'], /--reason/],
  ])('%j is wrong usage: exit 2, says what would be right, and changes nothing', async (args, said) => {
    await maintenance('on', '--message', 'Standing')
    const before = await place.stored()
    const { code, out, err } = await maintenance(...args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(said)
    expect(err.trimEnd().split('\n')).toHaveLength(1)
    expect(await place.stored()).toBe(before)
    await maintenance('off', '--all')
  })
})

describe('what is stored as switches and is none', () => {
  let place: Awaited<ReturnType<typeof redisPlace>>
  beforeAll(async () => {
    place = await redisPlace()
    await place.put('from a later version')
  })
  afterAll(() => place.close())

  test.each([['status'], ['on'], ['off']])('is neither taken for off nor overwritten: %s', async (action) => {
    const { code, out, err } = await run(['maintenance', action], place.env)
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(/no (?:such )?document/)
    expect(await place.stored()).toContain('from a later version')
  })
})

describe('an instance', () => {
  test('that its environment keeps closed says so', async () => {
    const place = await instancePlace({ MAINTENANCE_MODE: 'true', MAINTENANCE_MESSAGE: 'a\u001b[31mb' })
    const { out } = await run(['maintenance', 'off', ...place.options], place.env)
    expect(out).toMatch(/^Maintenance: on, by the environment, without an end\nMessage: a \[31mb\n/)
    await place.close()
  })

  test('that has another token is told from one that is away', async () => {
    const place = await instancePlace({ INTERNAL_API_KEY: 'q8Jd2kfL0sPz5vBn7mXc4tRy6uWe1aGh' })
    const { code, err } = await run(['maintenance', 'status', ...place.options], place.env)
    expect(code).toBe(1)
    expect(err).toContain('does not accept INTERNAL_API_KEY')
    await place.close()
  })

  test('that is no instance of Parapet is said to be none', async () => {
    const place = await redisPlace()
    const url = place.env.UPSTASH_REDIS_REST_URL as string
    const { code, err } = await run(['maintenance', 'status', '--url', url], {
      INTERNAL_API_KEY: OPERATOR_TOKEN,
    })
    expect(code).toBe(1)
    expect(err).toMatch(/no operator API|does not accept/)
    await place.close()
  })

  test.each(['example.com', 'http://example.com', 'ftp://127.0.0.1', 'https://u:p@x', 'https://x?a=b', ''])(
    'is not at %j: exit 2',
    async (url) => {
      const { code, err } = await run(['maintenance', 'status', '--url', url], {
        INTERNAL_API_KEY: OPERATOR_TOKEN,
      })
      expect(code).toBe(2)
      expect(err).toContain('--url must be an https:// address')
    },
  )
})

describe('what is not configured', () => {
  test.each<[what: string, env: Record<string, string>, args: string[], said: string]>([
    ['no place at all', {}, [], 'UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN, or REDIS_URL'],
    [
      'half of a Redis',
      { UPSTASH_REDIS_REST_URL: 'https://x.example' },
      [],
      'UPSTASH_REDIS_REST_TOKEN must be set',
    ],
    ['a Redis that is none', { REDIS_URL: 'http://x.example' }, [], 'REDIS_URL must be a redis://'],
    ['no token for an instance', {}, ['--url', 'https://x.example'], 'INTERNAL_API_KEY must be set'],
  ])('%s: exit 78, and says what to set', async (_, env, args, said) => {
    const { code, out, err } = await run(['maintenance', 'on', ...args], env)
    expect({ code, out }).toEqual({ code: 78, out: '' })
    expect(err).toContain(said)
    expect(err.trimEnd().split('\n')).toHaveLength(1)
  })
})

describe('what is away', () => {
  const SECRET = 'CANARY-7f3a9c51'
  let silent: Awaited<ReturnType<typeof silentPort>>
  beforeAll(async () => {
    silent = await silentPort()
  })
  afterAll(() => silent.close())

  test.concurrent.each<
    [what: string, place: (port: number) => { env: Record<string, string>; options?: string[] }]
  >([
    [
      'a Redis over REST that refuses',
      () => ({ env: { UPSTASH_REDIS_REST_URL: 'http://127.0.0.1:1', UPSTASH_REDIS_REST_TOKEN: SECRET } }),
    ],
    [
      'a Redis over REST that hangs',
      (port) => ({
        env: { UPSTASH_REDIS_REST_URL: `http://127.0.0.1:${port}`, UPSTASH_REDIS_REST_TOKEN: SECRET },
      }),
    ],
    [
      'a Redis over REST that has no name',
      () => ({
        env: { UPSTASH_REDIS_REST_URL: `https://${SECRET}.invalid`, UPSTASH_REDIS_REST_TOKEN: SECRET },
      }),
    ],
    ['a TCP Redis that refuses', () => ({ env: { REDIS_URL: `redis://:${SECRET}@127.0.0.1:1` } })],
    ['a TCP Redis that hangs', (port) => ({ env: { REDIS_URL: `redis://:${SECRET}@127.0.0.1:${port}` } })],
    [
      'an instance that refuses',
      () => ({ env: { INTERNAL_API_KEY: SECRET }, options: ['--url', 'http://127.0.0.1:1'] }),
    ],
    [
      'an instance that hangs',
      (port) => ({ env: { INTERNAL_API_KEY: SECRET }, options: ['--url', `http://127.0.0.1:${port}`] }),
    ],
  ])('%s: exit 1 within seconds, without a host or a secret', async (_, place) => {
    const { env, options = [] } = place(silent.port)
    const began = performance.now()
    const results = await Promise.all(
      ['on', 'status'].map((action) => run(['maintenance', action, ...options], env)),
    )
    expect(performance.now() - began).toBeLessThan(8000)
    for (const { code, out, err } of results) {
      expect({ code, out }).toEqual({ code: 1, out: '' })
      expect(err).toMatch(/^parapet maintenance: .{20,}\n$/)
      expect(err).not.toMatch(/127\.0\.0\.1|CANARY|\.invalid|\n +at /i)
    }
  })
})

test('the help is made of the table', async () => {
  const { code, out } = await run(['maintenance', '--help'])
  expect(code).toBe(0)
  expect(out).toContain('Usage: parapet maintenance <on|off|status> [options]')
  for (const name of ['message', 'from', 'until', 'allow', 'all', 'url', 'json'])
    expect(out).toContain(`--${name}`)
  expect((await run(['help'])).out).toMatch(/^ {2}maintenance {2}\S/m)
})
