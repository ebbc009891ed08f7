import { VARIABLES } from '../../src/config/variables.ts'
import type { Variables } from './runtimes.ts'

/** A different one for each variable, so that what leaks tells whose it is. It passes for a strong secret. */
export const canaryOf = (name: string) => `Cnry9${name.replaceAll('_', '')}Zq7Wk3Vx8Bn5Mt2Ls6Yd4Rf1`
const base64Of = (name: string) => btoa(canaryOf(name).padEnd(32, 'x').slice(0, 32))
const hostOf = (name: string) => `${canaryOf(name).toLowerCase()}.example`
/** Too short for a secret, and still one of a kind. */
const shortCanaryOf = (name: string) => `Cn9${name.replaceAll('_', '').slice(0, 12)}`
const SECRETS = ['JWT_ACCESS_SECRET', 'JWT_REFRESH_SECRET', 'SESSION_SECRET', 'WEBHOOK_SECRET']
export const CLOSED_PORT = 'http://127.0.0.1:1'

/** Values that look right, with a canary wherever the rule leaves room for one. */
export const VALID: Variables = {
  NODE_ENV: 'production',
  BASE_URL: `https://${hostOf('BASE_URL')}/`,
  DATABASE_URL: `postgres://${canaryOf('DATABASE_URL')}:${canaryOf('DATABASE_PASSWORD')}@db.example/x`,
  NEON_FETCH_ENDPOINT: `${CLOSED_PORT}/${canaryOf('NEON_FETCH_ENDPOINT')}`,
  UPSTASH_REDIS_REST_URL: `${CLOSED_PORT}/${canaryOf('UPSTASH_REDIS_REST_URL')}`,
  UPSTASH_REDIS_REST_TOKEN: canaryOf('UPSTASH_REDIS_REST_TOKEN'),
  REDIS_URL: `redis://:${canaryOf('REDIS_URL')}@127.0.0.1:1`,
  INTERNAL_API_KEY: canaryOf('INTERNAL_API_KEY'),
  JWT_ACCESS_SECRET: canaryOf('JWT_ACCESS_SECRET'),
  JWT_REFRESH_SECRET: canaryOf('JWT_REFRESH_SECRET'),
  SESSION_SECRET: canaryOf('SESSION_SECRET'),
  ISSUER_URL: `https://${hostOf('ISSUER_URL')}`,
  OIDC_AUDIENCE: canaryOf('OIDC_AUDIENCE'),
  ENCRYPTION_KEY: base64Of('ENCRYPTION_KEY'),
  ENCRYPTION_KEYS: `k1:${base64Of('ENCRYPTION_KEYS_A')},k2:${base64Of('ENCRYPTION_KEYS_B')}`,
  WEBHOOK_SECRET: canaryOf('WEBHOOK_SECRET'),
  CORS_ORIGIN: `https://${hostOf('CORS_ORIGIN')}`,
  REPLIT_DOMAINS: `${hostOf('REPLIT_DOMAINS')}`,
  TRUST_PROXY: '203.0.113.71/32',
  MAINTENANCE_MESSAGE: canaryOf('MAINTENANCE_MESSAGE'),
  MAINTENANCE_ALLOWED_IPS: '203.0.113.72',
  MAINTENANCE_UNTIL: '2087-06-05T04:03:02Z',
  QUEUES: canaryOf('QUEUES'),
  SENTRY_DSN: `https://${canaryOf('SENTRY_DSN')}@sentry.example/1`,
  SENDGRID_API_KEY: canaryOf('SENDGRID_API_KEY'),
  RESEND_API_KEY: canaryOf('RESEND_API_KEY'),
  MAILGUN_API_KEY: canaryOf('MAILGUN_API_KEY'),
  MAILGUN_DOMAIN: `${hostOf('MAILGUN_DOMAIN')}`,
  TWILIO_ACCOUNT_SID: canaryOf('TWILIO_ACCOUNT_SID'),
  TWILIO_AUTH_TOKEN: canaryOf('TWILIO_AUTH_TOKEN'),
  TWILIO_WHATSAPP_FROM: canaryOf('TWILIO_WHATSAPP_FROM'),
  SLACK_WEBHOOK_URL: `https://hooks.example/${canaryOf('SLACK_WEBHOOK_URL')}`,
  ALERT_WEBHOOK_URL: `https://hooks.example/${canaryOf('ALERT_WEBHOOK_URL')}`,
}
export const PLANTED = [
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
export const INVALID: Variables = {
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
export const CRITICAL = [
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

/** Which of them stand in a text, in any case: hosts are written in lower case. */
export const leaked = (text: string): string[] =>
  PLANTED.filter((value) => text.toLowerCase().includes(value.toLowerCase()))
