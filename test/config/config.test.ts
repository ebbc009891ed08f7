import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/config.ts'
import { VARIABLES } from '../../src/config/variables.ts'

const STRONG = [
  'q8Jd2kfL0sPz5vBn7mXc4tRy6uWe1aGh',
  'Zx9Cv8Bn7Ml6Kj5Hg4Fd3Sa2Qw1Er0Ty',
  'mN3bV5cX7zL9kJ1hG2fD4sA6pO8iU0yT',
]
const production = { NODE_ENV: 'production' }
const names = (faults: { name: string }[]) => faults.map(({ name }) => name)

describe('what an environment is', () => {
  test.each([undefined, '', '  ', 'prod', 'Production ', 'PRODUCTION', 'dev', 'live'])(
    'NODE_ENV %j counts as production',
    (NODE_ENV) => {
      const { config, problems, warnings } = loadConfig({ NODE_ENV })
      expect(config.environment).toBe('production')
      expect(config.guarded).toBe(true)
      expect(names(problems)).toEqual([])
      expect(names(warnings)).toEqual(['NODE_ENV'])
    },
  )

  test.each(['production', 'staging'])('%s requires what keeps data to have a database', (NODE_ENV) => {
    expect(names(loadConfig({ NODE_ENV }, { data: true }).problems)).toEqual(['DATABASE_URL'])
    expect(names(loadConfig({ NODE_ENV }).problems)).toEqual([])
  })

  test.each(['development', 'test'])('%s requires nothing', (NODE_ENV) => {
    expect(loadConfig({ NODE_ENV }, { data: true, accounts: true }).problems).toEqual([])
  })

  test('accounts require three secrets', () => {
    expect(names(loadConfig(production, { accounts: true }).problems)).toEqual([
      'JWT_ACCESS_SECRET',
      'JWT_REFRESH_SECRET',
      'SESSION_SECRET',
    ])
  })

  test('defaults are those of the contract', () => {
    const { config } = loadConfig(production)
    expect(config).toMatchObject({
      PORT: 5000,
      RATE_LIMIT_WINDOW_MS: 60_000,
      RATE_LIMIT_MAX_REQUESTS: 100,
      SLOW_QUERY_THRESHOLD: 500,
      SLOW_REQUEST_THRESHOLD: 1000,
      BODY_LIMIT_BYTES: 10_485_760,
      REQUEST_TIMEOUT_MS: 30_000,
      ORIGIN_TIMEOUT_MS: 30_000,
      DB_POOL_SIZE: 20,
      DB_IDLE_TIMEOUT_MS: 30_000,
      DB_CONNECT_TIMEOUT_MS: 10_000,
      DB_QUERY_TIMEOUT_MS: 30_000,
      LOG_LEVEL: 'info',
      logFormat: 'json',
      PII_REDACTION_ENABLED: true,
      METRICS_ENABLED: true,
      ON_INVALID_ENV: 'degrade',
      hsts: true,
    })
    expect(loadConfig({ NODE_ENV: 'development' }).config).toMatchObject({ logFormat: 'text', hsts: false })
  })
})

describe('rules', () => {
  test.each<[keyof typeof VARIABLES, string[], string[]]>([
    [
      'DATABASE_URL',
      ['postgres://u:p@h/d', 'postgresql://u:p@h:5432/d?sslmode=require'],
      ['mysql://u@h/d', 'h:5432/d', 'postgres:'],
    ],
    [
      'REDIS_URL',
      ['redis://h:6379', 'rediss://:p@h', 'redis://h/3'],
      ['http://h', 'h:6379', 'redis://h/notanumber', 'redis://:%ZZ@h'],
    ],
    [
      'UPSTASH_REDIS_REST_URL',
      ['https://x.upstash.io', 'http://127.0.0.1:1', 'http://[::1]:1'],
      ['http://x.upstash.io', 'redis://x'],
    ],
    [
      'NEON_FETCH_ENDPOINT',
      ['http://127.0.0.1:4444/sql', 'http://localhost/sql'],
      ['https://db.example/sql', 'http://127.0.0.1.example/sql', 'http://10.0.0.1/sql'],
    ],
    [
      'JWT_ACCESS_SECRET',
      STRONG,
      [
        'short',
        'a'.repeat(40),
        'abcd'.repeat(10),
        'your-secure-random-string-min-32-chars',
        'change-me-please-change-me-please!',
      ],
    ],
    ['INTERNAL_API_KEY', STRONG, ['ccl-internal-2025', 'tooshort', 'x'.repeat(64)]],
    [
      'ENCRYPTION_KEY',
      [btoa('0123456789abcdef0123456789abcdef')],
      [btoa('too short'), 'not base64!', btoa('x'.repeat(33))],
    ],
    [
      'ENCRYPTION_KEYS',
      [`k2:${btoa('0123456789abcdef0123456789abcdef')},k1:${btoa('f123456789abcdef0123456789abcdef')}`],
      [
        btoa('0123456789abcdef0123456789abcdef'),
        'k1:abc',
        `k:${btoa('0123456789abcdef0123456789abcdef')},k:${btoa('f123456789abcdef0123456789abcdef')}`,
      ],
    ],
    [
      'WEBHOOK_SECRET',
      [`whsec_${btoa('0123456789abcdef01234567')}`, STRONG[0] as string, `${STRONG[0]},${STRONG[1]}`],
      ['whsec_c2hvcnQ=', 'short', 'whsec_!!!'],
    ],
    [
      'CORS_ORIGIN',
      ['https://app.example', 'https://a.example, http://localhost:3000', 'https://app.example/'],
      ['app.example', 'https://app.example/path', 'ftp://x', '*'],
    ],
    [
      'TRUST_PROXY',
      ['socket', 'cloudflare', '1', '3', 'true', 'false', '10.0.0.0/8,2001:db8::/32', '127.0.0.1'],
      ['0', '-1', 'yes', '10.0.0.0/33', '0177.1', 'loopback'],
    ],
    [
      'MAINTENANCE_ALLOWED_IPS',
      ['10.0.0.0/8', '::1,192.0.2.7', '::ffff:10.0.0.0/104'],
      [
        '10.0.0.0/99',
        'nowhere',
        '010.0.0.0/8',
        '0177.1/8',
        '2130706433/8',
        '::ffff:010.0.0.1',
        'fe80::1%eth0/64',
      ],
    ],
    [
      'MAINTENANCE_UNTIL',
      ['2030-01-31T18:00:00Z', '2030-01-31T18:00Z', '2030-01-31T19:00:00.500+01:00'],
      ['tomorrow', '2030-01-31', '2030-01-31T18:00:00', '2030-02-30T18:00:00Z', '1900000000000', '30m'],
    ],
    [
      'ORIGIN_URL',
      ['https://old-api.example', 'http://127.0.0.1:3000/base'],
      ['old-api.example', 'https://u:p@h', 'https://h/?x=1', 'ws://h'],
    ],
    ['PORT', ['0', '8080', '65535'], ['65536', '-1', 'http', '8080.5', '0x50']],
    ['BODY_LIMIT_BYTES', ['0', '1024'], ['-1', '10mb', '1e6']],
  ])('%s', (name, accepted, refused) => {
    for (const value of accepted)
      expect(
        names(loadConfig({ ...production, [name]: value }).problems).filter((fault) => fault === name),
        value,
      ).toEqual([])
    for (const value of refused)
      expect(names(loadConfig({ ...production, [name]: value }).problems), value).toContain(name)
  })

  test('a weak operator token is a matter of production', () => {
    expect(loadConfig({ NODE_ENV: 'development', INTERNAL_API_KEY: 'short' }).problems).toEqual([])
    expect(
      names(loadConfig({ ...production, CONSOLE_INTERNAL_TOKEN: 'ccl-internal-2025' }).problems),
    ).toEqual(['INTERNAL_API_KEY'])
  })

  test('a variable and its other name may not differ', () => {
    const both = { INTERNAL_API_KEY: STRONG[0], CONSOLE_INTERNAL_TOKEN: STRONG[1] }
    expect(names(loadConfig({ ...production, ...both }).problems)).toEqual(['INTERNAL_API_KEY'])
    expect(loadConfig({ ...production, CORS_ALLOWED_ORIGINS: 'https://a.example' }).config.origins).toEqual([
      'https://a.example',
    ])
  })

  test('one secret may not serve two purposes', () => {
    const env = { ...production, JWT_ACCESS_SECRET: STRONG[0], SESSION_SECRET: STRONG[0] }
    expect(names(loadConfig(env).problems)).toEqual(['SESSION_SECRET'])
  })

  test('Upstash needs both or none', () => {
    expect(
      names(loadConfig({ ...production, UPSTASH_REDIS_REST_URL: 'https://x.upstash.io' }).problems),
    ).toEqual(['UPSTASH_REDIS_REST_TOKEN'])
    expect(names(loadConfig({ ...production, UPSTASH_REDIS_REST_TOKEN: 'token' }).problems)).toEqual([
      'UPSTASH_REDIS_REST_URL',
    ])
  })

  test('half an alert channel, and a knob out of range, are warnings', () => {
    const { problems, warnings } = loadConfig({
      ...production,
      TWILIO_ACCOUNT_SID: 'AC1',
      SLOW_QUERY_THRESHOLD: 'fast',
      LOG_LEVEL: 'loud',
    })
    expect(problems).toEqual([])
    expect(new Set(names(warnings))).toEqual(
      new Set(['TWILIO_AUTH_TOKEN', 'TWILIO_WHATSAPP_FROM', 'SLOW_QUERY_THRESHOLD', 'LOG_LEVEL']),
    )
  })

  test('SKIP_RATE_LIMIT is ignored in production, and said so', () => {
    expect(loadConfig({ ...production, SKIP_RATE_LIMIT: 'true' }).warnings).toEqual([
      { name: 'SKIP_RATE_LIMIT', reason: 'is ignored in production' },
    ])
  })

  test('* is refused unless the app answers without credentials', () => {
    expect(loadConfig({ ...production, CORS_ORIGIN: '*' }, { credentials: false }).config.origins).toEqual([
      '*',
    ])
  })

  test('origins come from three variables', () => {
    const { config } = loadConfig({
      ...production,
      CORS_ORIGIN: 'https://a.example/',
      REPLIT_DOMAINS: 'b.replit.app',
      BASE_URL: 'https://c.example/base',
    })
    expect(config.origins).toEqual(['https://a.example', 'https://b.replit.app', 'https://c.example'])
  })

  test('bindings of a Worker that are not text count as not set', () => {
    expect(loadConfig({ ...production, DATABASE_URL: { get() {} }, KV: {} }).problems).toEqual([])
  })
})

describe('all problems at once, by name and never by value', () => {
  const canary = 'CANARY-7f3a9'
  const everything = Object.fromEntries(Object.keys(VARIABLES).map((name) => [name, canary]))

  test('every variable that is wrong is named', () => {
    const { problems, warnings } = loadConfig(everything, { data: true, accounts: true })
    expect(names(problems).length).toBeGreaterThan(20)
    expect(names([...problems, ...warnings])).toEqual(
      expect.arrayContaining(['DATABASE_URL', 'PORT', 'TRUST_PROXY', 'ENCRYPTION_KEY', 'SENTRY_DSN']),
    )
  })

  test('no value is in what is said', () => {
    const { problems, warnings } = loadConfig(everything)
    expect(JSON.stringify([problems, warnings])).not.toContain(canary)
  })

  test('a key is known to the redactor without its id', () => {
    const key = btoa('0123456789abcdef0123456789abcdef')
    expect(loadConfig({ ...production, ENCRYPTION_KEYS: `k2:${key}` }).config.secretValues).toContain(key)
  })

  test('secret values are known to the redactor, parts of addresses included', () => {
    const { config } = loadConfig({
      ...production,
      DATABASE_URL: 'postgres://app:s3cr%2Ft-pass@db.internal.example/x',
    })
    expect(config.secretValues).toEqual(
      expect.arrayContaining(['s3cr%2Ft-pass', 's3cr/t-pass', 'db.internal.example']),
    )
  })
})
