import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { VARIABLES } from '../../src/config/variables.ts'
import { bearer, describeServer, eventually, type Server } from './harness.ts'
import { launch, type Runtime, type Variables } from './runtimes.ts'

/** A different one for each variable, so that what leaks tells whose it is. It passes for a strong secret. */
const canaryOf = (name: string) => `Cnry9${name.replaceAll('_', '')}Zq7Wk3Vx8Bn5Mt2Ls6Yd4Rf1`
const base64Of = (name: string) => btoa(canaryOf(name).padEnd(32, 'x').slice(0, 32))
/** Too short for a secret, and still one of a kind. */
const shortCanaryOf = (name: string) => `Cn9${name.replaceAll('_', '').slice(0, 12)}`
const SECRETS = ['JWT_ACCESS_SECRET', 'JWT_REFRESH_SECRET', 'SESSION_SECRET', 'WEBHOOK_SECRET']
const CLOSED_PORT = 'http://127.0.0.1:1'

/** Values that look right, with a canary wherever the rule leaves room for one. */
const VALID: Variables = {
  NODE_ENV: 'production',
  BASE_URL: `https://${canaryOf('BASE_URL')}.example/`,
  DATABASE_URL: `postgres://${canaryOf('DATABASE_URL')}:${canaryOf('DATABASE_PASSWORD')}@db.example/x`,
  NEON_FETCH_ENDPOINT: `${CLOSED_PORT}/${canaryOf('NEON_FETCH_ENDPOINT')}`,
  UPSTASH_REDIS_REST_URL: `${CLOSED_PORT}/${canaryOf('UPSTASH_REDIS_REST_URL')}`,
  UPSTASH_REDIS_REST_TOKEN: canaryOf('UPSTASH_REDIS_REST_TOKEN'),
  REDIS_URL: `redis://:${canaryOf('REDIS_URL')}@127.0.0.1:1`,
  INTERNAL_API_KEY: canaryOf('INTERNAL_API_KEY'),
  JWT_ACCESS_SECRET: canaryOf('JWT_ACCESS_SECRET'),
  JWT_REFRESH_SECRET: canaryOf('JWT_REFRESH_SECRET'),
  SESSION_SECRET: canaryOf('SESSION_SECRET'),
  ISSUER_URL: `https://${canaryOf('ISSUER_URL')}.example`,
  OIDC_AUDIENCE: canaryOf('OIDC_AUDIENCE'),
  ENCRYPTION_KEY: base64Of('ENCRYPTION_KEY'),
  ENCRYPTION_KEYS: `k1:${base64Of('ENCRYPTION_KEYS_A')},k2:${base64Of('ENCRYPTION_KEYS_B')}`,
  WEBHOOK_SECRET: canaryOf('WEBHOOK_SECRET'),
  CORS_ORIGIN: `https://${canaryOf('CORS_ORIGIN')}.example`,
  REPLIT_DOMAINS: `${canaryOf('REPLIT_DOMAINS')}.example`,
  TRUST_PROXY: '203.0.113.71/32',
  MAINTENANCE_MESSAGE: canaryOf('MAINTENANCE_MESSAGE'),
  MAINTENANCE_ALLOWED_IPS: '203.0.113.72',
  MAINTENANCE_UNTIL: '2087-06-05T04:03:02Z',
  QUEUES: canaryOf('QUEUES'),
  SENTRY_DSN: `https://${canaryOf('SENTRY_DSN')}@sentry.example/1`,
  SENDGRID_API_KEY: canaryOf('SENDGRID_API_KEY'),
  RESEND_API_KEY: canaryOf('RESEND_API_KEY'),
  MAILGUN_API_KEY: canaryOf('MAILGUN_API_KEY'),
  MAILGUN_DOMAIN: `${canaryOf('MAILGUN_DOMAIN')}.example`,
  TWILIO_ACCOUNT_SID: canaryOf('TWILIO_ACCOUNT_SID'),
  TWILIO_AUTH_TOKEN: canaryOf('TWILIO_AUTH_TOKEN'),
  TWILIO_WHATSAPP_FROM: canaryOf('TWILIO_WHATSAPP_FROM'),
  SLACK_WEBHOOK_URL: `https://hooks.example/${canaryOf('SLACK_WEBHOOK_URL')}`,
  ALERT_WEBHOOK_URL: `https://hooks.example/${canaryOf('ALERT_WEBHOOK_URL')}`,
}
const PLANTED = [
  ...Object.keys(VARIABLES).map(canaryOf),
  ...SECRETS.map(shortCanaryOf),
  canaryOf('DATABASE_PASSWORD'),
  ...['ENCRYPTION_KEY', 'ENCRYPTION_KEYS_A', 'ENCRYPTION_KEYS_B'].map(base64Of),
  '203.0.113.71',
  '203.0.113.72',
  '2087-06-05',
]

/** Variables whose rule takes any text, or that have to be right for the test to run. */
const CANNOT_BE_WRONG = [
  'PORT',
  'ON_INVALID_ENV',
  'INTERNAL_API_KEY',
  'UPSTASH_REDIS_REST_TOKEN',
  'OIDC_AUDIENCE',
  'MAINTENANCE_MESSAGE',
]
const INVALID: Variables = {
  ...Object.fromEntries(
    Object.keys(VARIABLES)
      .filter((name) => !CANNOT_BE_WRONG.includes(name))
      .map((name) => [name, `? ${canaryOf(name)} //:?`]),
  ),
  ...Object.fromEntries(SECRETS.map((name) => [name, shortCanaryOf(name)])),
  UPSTASH_REDIS_REST_TOKEN: canaryOf('UPSTASH_REDIS_REST_TOKEN'),
  INTERNAL_API_KEY: canaryOf('INTERNAL_API_KEY'),
}

/** As the contract's table has them: what is worth an outage, and is wrong above. */
const CRITICAL = [
  'BASE_URL',
  'BODY_LIMIT_BYTES',
  'CORS_ORIGIN',
  'DATABASE_URL',
  'ENCRYPTION_KEY',
  'ENCRYPTION_KEYS',
  'ISSUER_URL',
  'JWT_ACCESS_SECRET',
  'JWT_REFRESH_SECRET',
  'NEON_FETCH_ENDPOINT',
  'ORIGIN_URL',
  'REDIS_URL',
  'REQUEST_TIMEOUT_MS',
  'SESSION_SECRET',
  'TRUST_PROXY',
  'UPSTASH_REDIS_REST_URL',
  'WEBHOOK_SECRET',
]

const operator = bearer(canaryOf('INTERNAL_API_KEY'))

/** Everything that a server can be made to say, as one text. */
const everythingSaid = async (server: Server): Promise<string> => {
  const said: string[] = []
  const paths = [
    '/livez',
    '/health/db',
    '/readyz',
    '/',
    '/open/ok',
    '/open/throw/error',
    '/closed/ok',
    '/api/seed',
  ]
  for (const path of [
    ...paths,
    '/api/customers',
    '/none',
    '/open//x',
    '/metrics',
    '/console',
    '/api/status',
  ]) {
    for (const headers of [
      {},
      operator,
      bearer('wrong'),
      { accept: 'text/html' },
      { origin: 'https://a.example' },
    ]) {
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        const {
          status,
          headers: all,
          body,
        } = await server.raw({
          method,
          target: path,
          headers: Object.entries(headers),
        })
        said.push(`${status} ${JSON.stringify(all)} ${body}`)
      }
    }
  }
  return said.join('\n')
}

const leaked = (text: string) => PLANTED.filter((value) => text.includes(value))

export const environmentCases = (runtime: Runtime): void => {
  describe('no value of a variable is ever told', () => {
    const right: [what: string, env: Variables][] = [
      ['right', VALID],
      [
        'right, in front of an origin that is away',
        { ...VALID, ORIGIN_URL: `${CLOSED_PORT}/${canaryOf('ORIGIN_URL')}` },
      ],
      [
        'right, at the most talkative',
        { ...VALID, LOG_LEVEL: 'debug', LOG_FORMAT: 'text', PII_REDACTION_ENABLED: 'false' },
      ],
      ['wrong', INVALID],
      ['wrong, at the most talkative', { ...INVALID, LOG_LEVEL: 'debug', LOG_FORMAT: 'text' }],
    ]
    describe.each(right)('where all are %s', (what, env) => {
      describeServer(
        what,
        runtime,
        { app: 'reference', env },
        (server) => {
          it('in no answer', async () => {
            expect(leaked(await everythingSaid(server()))).toEqual([])
          })

          it('though names of what is wrong are in the log, each once', async () => {
            const named = (name: string, text: string) =>
              text
                .split('\n')
                .filter((line) => new RegExp(`\\b${name} (?:must|is|has|differs)\\b`).test(line)).length
            const expected = what.startsWith('wrong') ? CRITICAL : []
            const output = await eventually(server().process.output, (text) =>
              expected.every((name) => named(name, text) > 0),
            )
            for (const name of CRITICAL)
              expect([name, named(name, output)]).toEqual([name, expected.length > 0 ? 1 : 0])
          })
        },
        { silent: PLANTED },
      )
    })

    it('the table of canaries is complete', () => {
      const numbersAndFlags = Object.keys(VARIABLES).filter((name) => !(name in VALID))
      expect(numbersAndFlags.filter((name) => /URL|KEY|SECRET|TOKEN|DSN|HOST|PASSWORD/.test(name))).toEqual([
        'ORIGIN_URL',
      ])
    })
  })

  describe.skipIf(runtime === 'workerd')('ON_INVALID_ENV=exit', () => {
    it('exits 78 and names every variable at fault once, with what would be right', async () => {
      const env = { ...INVALID, PORT: canaryOf('PORT'), ON_INVALID_ENV: 'exit' }
      const child = await launch(runtime, { app: 'reference', env })
      expect(await child.exited).toBe(78)
      const fatal = child.output().trim().split('\n')
      for (const line of fatal) expect(line).toMatch(/^\[env-validation\] FATAL [A-Z_]+ .{5,}$/)
      expect(fatal.map((line) => line.split(' ')[2]).sort()).toEqual(
        expect.arrayContaining([...CRITICAL, 'PORT'].sort()),
      )
      expect(new Set(fatal.map((line) => line.split(' ')[2])).size).toBe(fatal.length)
      expect(leaked(child.output())).toEqual([])
    })

    it('exits 78 for what is missing', async () => {
      const child = await launch(runtime, { app: 'reference', env: { ON_INVALID_ENV: 'exit' } })
      expect(await child.exited).toBe(78)
      expect(child.output()).toMatch(/^\[env-validation\] FATAL DATABASE_URL is required$/m)
    })

    it('starts where nothing is wrong', async () => {
      const child = await launch(runtime, { env: { NODE_ENV: 'production', ON_INVALID_ENV: 'exit' } })
      await child.listening
      child.signal('SIGTERM')
      expect(await child.exited).toBe(0)
    })

    it('a port that is taken: says which, and exits 1', async () => {
      const holder = createServer().listen(0)
      await once(holder, 'listening')
      const port = String((holder.address() as AddressInfo).port)
      const child = await launch(runtime, { env: { NODE_ENV: 'production', PORT: port } })
      expect(await child.exited).toBe(1)
      expect(child.output()).toContain(port)
      expect(child.output()).not.toMatch(/\n\s+at /)
      holder.close()
    })
  })

  describe('two variables that must not be the same, or not together', () => {
    const secret = canaryOf('SHARED')
    const refused: [what: string, env: Variables, name: RegExp][] = [
      [
        'one secret for two purposes',
        { JWT_ACCESS_SECRET: secret, JWT_REFRESH_SECRET: secret },
        /JWT_(?:ACCESS|REFRESH)_SECRET/,
      ],
      [
        'the operator token as a secret',
        { INTERNAL_API_KEY: secret, SESSION_SECRET: secret },
        /SESSION_SECRET|INTERNAL_API_KEY/,
      ],
      ['* with credentials', { CORS_ORIGIN: '*' }, /CORS_ORIGIN/],
      ['* among origins', { CORS_ALLOWED_ORIGINS: 'https://a.example,*' }, /CORS_/],
      ['half of a Redis', { UPSTASH_REDIS_REST_URL: 'https://redis.example' }, /UPSTASH_REDIS_REST_TOKEN/],
      [
        'two names that differ',
        { INTERNAL_API_KEY: secret, CONSOLE_INTERNAL_TOKEN: `${secret}2` },
        /INTERNAL_API_KEY/,
      ],
      [
        'an endpoint that is not here',
        { NEON_FETCH_ENDPOINT: 'https://neon.example/sql' },
        /NEON_FETCH_ENDPOINT/,
      ],
      ['a secret that repeats itself', { SESSION_SECRET: 'a'.repeat(40) }, /SESSION_SECRET/],
      [
        'a documented secret',
        { JWT_ACCESS_SECRET: 'your-secure-random-string-min-32-chars' },
        /JWT_ACCESS_SECRET/,
      ],
    ]
    it.each(refused)('%s', async (_, env, name) => {
      const child = await launch(runtime, { env: { NODE_ENV: 'production', ...env } })
      const port = await child.listening
      const answer = await fetch(`http://127.0.0.1:${port}/open/ok`, {
        headers: { origin: 'https://a.example' },
      })
      expect(answer.status).toBe(503)
      expect(answer.headers.get('access-control-allow-origin')).toBeNull()
      await eventually(child.output, (text) => name.test(text))
      expect(child.output()).not.toContain(secret)
      child.signal('SIGTERM')
      expect(await child.exited).toBe(0)
    })

    it.each([
      ['half of a mail channel', { MAILGUN_API_KEY: secret }, 'MAILGUN_DOMAIN'],
      ['half of a message channel', { TWILIO_ACCOUNT_SID: secret }, 'TWILIO_AUTH_TOKEN'],
      ['limits that shall be skipped', { SKIP_RATE_LIMIT: 'true' }, 'SKIP_RATE_LIMIT'],
      ['a misspelt level', { LOG_LEVEL: 'loud' }, 'LOG_LEVEL'],
    ])('%s is a warning and no outage', async (_, env, name) => {
      const child = await launch(runtime, { env: { NODE_ENV: 'production', ...env } })
      const port = await child.listening
      expect((await fetch(`http://127.0.0.1:${port}/open/ok`)).status).toBe(200)
      const output = await eventually(child.output, (text) => text.includes(name))
      const said = output.split('\n').filter((line) => line.includes(name))
      for (const line of said) expect(line).toContain('"level":"warn"')
      expect(output).not.toContain(secret)
      child.signal('SIGTERM')
      expect(await child.exited).toBe(0)
    })
  })
}
