import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { bearer, describeServer, eventually, lines } from './harness.ts'
import { CRITICAL, canaryOf, INVALID, leaked } from './planted-environments.ts'
import { launch, type Runtime } from './runtimes.ts'

export const invalidEnvironmentCases = (runtime: Runtime): void => {
  // A Worker has no process to end.
  if (runtime === 'workerd') return
  describe('ON_INVALID_ENV=exit', () => {
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

  describe('variables that do not go together', () => {
    const secret = canaryOf('SHARED')

    // All in one environment: each has to be found beside the others.
    const REFUSED = {
      NODE_ENV: 'production',
      // A secret for two purposes.
      JWT_ACCESS_SECRET: secret,
      JWT_REFRESH_SECRET: secret,
      // Two names for one thing, which differ.
      INTERNAL_API_KEY: `${secret}1`,
      CONSOLE_INTERNAL_TOKEN: `${secret}2`,
      // Everybody, together with credentials.
      CORS_ALLOWED_ORIGINS: 'https://a.example,*',
      // Half of a Redis.
      UPSTASH_REDIS_REST_URL: 'https://redis.example',
      // A database's password, sent elsewhere.
      NEON_FETCH_ENDPOINT: 'https://neon.example/sql',
      // No secrets.
      SESSION_SECRET: 'a'.repeat(40),
      WEBHOOK_SECRET: 'your-secure-random-string-min-32-chars',
    }
    const NAMES = [
      /JWT_(?:ACCESS|REFRESH)_SECRET has/,
      /INTERNAL_API_KEY differs/,
      /CORS_(?:ORIGIN|ALLOWED_ORIGINS) must/,
      /UPSTASH_REDIS_REST_TOKEN must/,
      /NEON_FETCH_ENDPOINT must/,
      /SESSION_SECRET must/,
      /WEBHOOK_SECRET must/,
    ]
    describeServer(
      'close the house',
      runtime,
      { env: REFUSED },
      (server) => {
        it('to everybody', async () => {
          for (const origin of ['https://a.example', 'https://b.example', '*']) {
            const answer = await server().ask('/open/ok', { headers: { origin } })
            expect(answer.status).toBe(503)
            expect(answer.header('access-control-allow-origin')).toBeUndefined()
          }
          const readiness = await server().ask('/readyz', { headers: bearer(`${secret}1`) })
          expect(readiness.body).not.toMatch(/SECRET|CORS/)
        })

        it.each(NAMES)('and are named: %s', async (name) => {
          await eventually(server().process.output, (text) => name.test(text))
        })
      },
      { silent: [secret, 'neon.example'] },
    )

    const WARNED = {
      NODE_ENV: 'production',
      MAILGUN_API_KEY: secret,
      TWILIO_ACCOUNT_SID: `${secret}3`,
      SKIP_RATE_LIMIT: 'true',
      LOG_LEVEL: 'loud',
      LOG_FORMAT: 'pretty',
    }
    describeServer(
      'are warned of',
      runtime,
      { env: WARNED },
      (server) => {
        it('and the house is open', async () => {
          expect((await server().ask('/open/ok')).status).toBe(200)
        })

        it.each([
          'MAILGUN_DOMAIN',
          'TWILIO_AUTH_TOKEN',
          'TWILIO_WHATSAPP_FROM',
          'SKIP_RATE_LIMIT',
          'LOG_LEVEL',
          'LOG_FORMAT',
        ])('once: %s', async (name) => {
          const text = await eventually(server().process.output, (output) => output.includes(name))
          const said = lines(text).filter(({ msg }) => String(msg).startsWith(name))
          expect(said).toHaveLength(1)
          expect(said[0]).toMatchObject({ level: 'warn', category: 'config' })
        })
      },
      { silent: [secret] },
    )
  })
}
