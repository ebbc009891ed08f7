import * as z from 'zod'
import {
  flag,
  instant,
  integer,
  isAesKey,
  isCidr,
  isLoopback,
  isOrigin,
  isWebhookSecret,
  list,
  secret,
  text,
  url,
} from './rules.ts'

/** One environment variable: its zod rule, and what `parapet env` and `.env.example` print of it. */
export interface Variable {
  readonly schema: z.ZodType
  /** The rule in words. It is all that is said when a value breaks it: never the value. */
  readonly rule: string
  readonly help: string
  readonly group: string
  /** What the app must have on for the variable to be required in production and staging. */
  readonly requiredBy?: 'data' | 'accounts'
  /** Shown as the default where the schema has none of its own, for defaults that depend on something. */
  readonly fallback?: string
  /** Read where the variable itself is not set. */
  readonly alias?: string
  readonly secret?: boolean
  /** A broken value is a warning and counts as not set, for knobs that are not worth an outage. */
  readonly lenient?: boolean
}

/** Nobody on the way can read along. */
const isPrivate = ({ protocol, hostname }: URL): boolean => protocol === 'https:' || isLoopback(hostname)

const SECRET_RULE = '32 characters or more, random, not a documented value'

/** Every variable that Parapet reads. Rules, defaults, help and the example file all come from here. */
export const VARIABLES = {
  NODE_ENV: {
    group: 'Basics',
    schema: z.enum(['production', 'staging', 'test', 'development']).default('production'),
    rule: 'production, staging, test or development; anything else counts as production',
    help: 'which environment this is; decides what is required and what is blocked',
    lenient: true,
  },
  PORT: {
    group: 'Basics',
    schema: integer(0, 65535).default(5000),
    rule: 'a port from 0 to 65535',
    help: 'where the Bun and Node servers listen',
  },
  BASE_URL: {
    group: 'Basics',
    schema: url(['http:', 'https:']).optional(),
    rule: 'an http:// or https:// address',
    help: 'public address of this service; its origin is allowed by CORS',
  },
  ON_INVALID_ENV: {
    group: 'Basics',
    schema: z.enum(['degrade', 'exit']).default('degrade'),
    rule: 'degrade or exit',
    help: 'Bun and Node: answer probes only, or print what is wrong and exit 78',
    lenient: true,
  },
  SHUTDOWN_TIMEOUT_MS: {
    group: 'Basics',
    schema: integer(0, 600_000).default(10_000),
    rule: 'milliseconds from 0 to 600000',
    help: 'Bun and Node: how long requests in flight may take after SIGTERM',
    lenient: true,
  },
  DATABASE_URL: {
    group: 'Database',
    schema: url(['postgres:', 'postgresql:'], ({ hostname }) => hostname !== '').optional(),
    rule: 'a postgres:// or postgresql:// address',
    help: 'Postgres: Neon over HTTP, or any other through the bridge (Bun and Node)',
    requiredBy: 'data',
    secret: true,
  },
  NEON_FETCH_ENDPOINT: {
    group: 'Database',
    schema: url(['http:', 'https:'], ({ hostname }) => isLoopback(hostname)).optional(),
    rule: "an http:// address on a loopback host (anything else would be sent the database's password)",
    help: "where Neon's protocol is spoken instead, for local services and the bridge",
  },
  DB_POOL_SIZE: {
    group: 'Database',
    schema: integer(1, 1000).default(20),
    rule: 'a number from 1 to 1000',
    help: 'connections of the bridge',
    lenient: true,
  },
  DB_IDLE_TIMEOUT_MS: {
    group: 'Database',
    schema: integer(0).default(30_000),
    rule: 'milliseconds',
    help: 'when the bridge closes an idle connection',
    lenient: true,
  },
  DB_CONNECT_TIMEOUT_MS: {
    group: 'Database',
    schema: integer(1).default(10_000),
    rule: 'milliseconds, 1 or more',
    help: 'how long the bridge waits for a connection',
    lenient: true,
  },
  DB_QUERY_TIMEOUT_MS: {
    group: 'Database',
    schema: integer(1).default(30_000),
    rule: 'milliseconds, 1 or more',
    help: 'when a query is given up',
    lenient: true,
  },
  SLOW_QUERY_THRESHOLD: {
    group: 'Database',
    schema: integer(0).default(500),
    rule: 'milliseconds',
    help: 'slower queries are logged',
    lenient: true,
  },
  UPSTASH_REDIS_REST_URL: {
    group: 'Redis',
    schema: url(['http:', 'https:'], isPrivate).optional(),
    rule: 'an https:// address (http:// on a loopback host only), together with its token',
    help: 'Redis over REST, for limits, switches and metrics of the whole fleet',
  },
  UPSTASH_REDIS_REST_TOKEN: {
    group: 'Redis',
    schema: text.optional(),
    rule: 'set together with UPSTASH_REDIS_REST_URL',
    help: 'its token',
    secret: true,
  },
  REDIS_URL: {
    group: 'Redis',
    schema: url(['redis:', 'rediss:'], ({ pathname }) => /^(?:\/\d{0,4})?$/.test(pathname)).optional(),
    rule: 'a redis:// or rediss:// address, with no path but a database number',
    help: 'Bun and Node: a TCP Redis, reached through the bridge, instead of the two above',
    secret: true,
  },
  INTERNAL_API_KEY: {
    group: 'Identity',
    schema: text.optional(),
    rule: `in production ${SECRET_RULE}`,
    help: 'operator token: sees details, flips switches',
    alias: 'CONSOLE_INTERNAL_TOKEN',
    secret: true,
  },
  JWT_ACCESS_SECRET: {
    group: 'Identity',
    schema: secret(32).optional(),
    rule: SECRET_RULE,
    help: 'signs access tokens',
    requiredBy: 'accounts',
    secret: true,
  },
  JWT_REFRESH_SECRET: {
    group: 'Identity',
    schema: secret(32).optional(),
    rule: SECRET_RULE,
    help: 'signs refresh tokens',
    requiredBy: 'accounts',
    secret: true,
  },
  SESSION_SECRET: {
    group: 'Identity',
    schema: secret(32).optional(),
    rule: SECRET_RULE,
    help: 'signs session cookies',
    requiredBy: 'accounts',
    secret: true,
  },
  ISSUER_URL: {
    group: 'Identity',
    schema: url(['https:', 'http:'], isPrivate).optional(),
    rule: 'an https:// address',
    help: 'OIDC issuer whose JWTs are accepted',
  },
  OIDC_AUDIENCE: {
    group: 'Identity',
    schema: text.optional(),
    rule: 'text',
    help: 'audience that those JWTs must name',
  },
  ENCRYPTION_KEY: {
    group: 'Identity',
    schema: text.refine(isAesKey).optional(),
    rule: 'base64 of exactly 32 bytes',
    help: 'encrypts stored credentials',
    secret: true,
  },
  ENCRYPTION_KEYS: {
    group: 'Identity',
    schema: list
      .refine((keys) => keys.length > 0 && keys.every((key) => /^[\w-]{1,32}:/.test(key)))
      .refine((keys) => keys.every((key) => isAesKey(key.slice(key.indexOf(':') + 1))))
      .refine((keys) => new Set(keys.map((key) => key.slice(0, key.indexOf(':')))).size === keys.length)
      .optional(),
    rule: 'kid:base64,… with different kids, each base64 of exactly 32 bytes',
    help: 'the same while rotating: the first one encrypts, all decrypt',
    secret: true,
  },
  WEBHOOK_SECRET: {
    group: 'Identity',
    schema: list.refine((secrets) => secrets.length > 0 && secrets.every(isWebhookSecret)).optional(),
    rule: 'whsec_ and base64 of 24 to 64 bytes, or 32 characters or more; comma-separated while rotating',
    help: 'verifies webhooks',
    secret: true,
  },
  CORS_ORIGIN: {
    group: 'Callers',
    schema: list
      .refine((origins) => origins.every((origin) => origin === '*' || isOrigin(origin)))
      .optional(),
    rule: 'origins such as https://app.example, comma-separated',
    help: 'origins that browsers may call from',
    alias: 'CORS_ALLOWED_ORIGINS',
  },
  REPLIT_DOMAINS: {
    group: 'Callers',
    schema: list.refine((hosts) => hosts.every((host) => isOrigin(`https://${host}`))).optional(),
    rule: 'host names, comma-separated',
    help: 'the same, as Replit names them',
  },
  TRUST_PROXY: {
    group: 'Callers',
    schema: text
      .transform((value) => ({ true: '1', false: 'socket' })[value.toLowerCase()] ?? value)
      .refine(
        (value) =>
          value === 'socket' ||
          value === 'cloudflare' ||
          /^[1-9]\d?$/.test(value) ||
          value.split(',').every((cidr) => isCidr(cidr.trim())),
      )
      .optional(),
    rule: 'socket, cloudflare, a number of hops from 1 to 99, or a list of CIDRs',
    help: "whose word on the caller's address is taken",
    fallback: 'cloudflare on Workers, socket elsewhere',
  },
  RATE_LIMIT_WINDOW_MS: {
    group: 'Guards',
    schema: integer(1000, 86_400_000).default(60_000),
    rule: 'milliseconds from 1000 to 86400000',
    help: 'window of the API limit',
  },
  RATE_LIMIT_MAX_REQUESTS: {
    group: 'Guards',
    schema: integer(1).default(100),
    rule: 'a number, 1 or more',
    help: 'requests in that window',
  },
  SKIP_RATE_LIMIT: {
    group: 'Guards',
    schema: flag.default(false),
    rule: 'true or false',
    help: 'obeyed in development and test only',
    lenient: true,
  },
  BODY_LIMIT_BYTES: {
    group: 'Guards',
    schema: integer(0).default(10_485_760),
    rule: 'bytes',
    help: 'largest request body',
  },
  REQUEST_TIMEOUT_MS: {
    group: 'Guards',
    schema: integer(1, 2_147_483_647).default(30_000),
    rule: 'milliseconds, 1 or more',
    help: 'when a request is given up',
  },
  ENABLE_HSTS: {
    group: 'Guards',
    schema: flag.optional(),
    rule: 'true or false',
    help: 'send Strict-Transport-Security',
    fallback: 'true in production',
    lenient: true,
  },
  ENABLE_COMPRESSION: {
    group: 'Guards',
    schema: flag.default(false),
    rule: 'true or false',
    help: 'compress responses (Bun and Node; Cloudflare does so by itself)',
    lenient: true,
  },
  ENABLE_CACHE: {
    group: 'Guards',
    schema: flag.default(false),
    rule: 'true or false',
    help: 'keep what is read one by one in Redis for half a minute',
    lenient: true,
  },
  MAINTENANCE_MODE: {
    group: 'Maintenance',
    schema: flag.default(false),
    rule: 'true or false',
    help: 'close the house; wins over the switch',
  },
  MAINTENANCE_MESSAGE: {
    group: 'Maintenance',
    schema: text.optional(),
    rule: 'text',
    help: 'what visitors read; also the default for the switch',
  },
  MAINTENANCE_ALLOWED_IPS: {
    group: 'Maintenance',
    schema: list.refine((ranges) => ranges.every(isCidr)).optional(),
    rule: 'addresses or CIDRs, comma-separated',
    help: 'who passes all the same, by the switch too',
  },
  MAINTENANCE_UNTIL: {
    group: 'Maintenance',
    schema: instant.optional(),
    rule: 'a date and time with its zone, such as 2030-01-31T18:00:00Z or 2030-01-31T19:00:00+01:00',
    help: 'when it ends by itself, also for Retry-After',
  },
  ORIGIN_URL: {
    group: 'In front',
    schema: url(
      ['http:', 'https:'],
      ({ username, password, search, hash }) => !(username || password || search || hash),
    ).optional(),
    rule: 'an http:// or https:// address without credentials, query or fragment',
    help: 'the API that Parapet stands in front of',
  },
  ORIGIN_TIMEOUT_MS: {
    group: 'In front',
    schema: integer(1, 2_147_483_647).default(30_000),
    rule: 'milliseconds, 1 or more',
    help: 'how long the origin may take to begin its answer',
  },
  LOG_LEVEL: {
    group: 'Telemetry',
    schema: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
    rule: 'debug, info, warn, error or silent',
    help: 'the least severe line that is written',
    lenient: true,
  },
  LOG_FORMAT: {
    group: 'Telemetry',
    schema: z.enum(['json', 'text']).optional(),
    rule: 'json or text',
    help: 'shape of a log line',
    fallback: 'json in production, text otherwise',
    lenient: true,
  },
  SLOW_REQUEST_THRESHOLD: {
    group: 'Telemetry',
    schema: integer(0).default(1000),
    rule: 'milliseconds',
    help: 'slower requests are logged as such',
    lenient: true,
  },
  PII_REDACTION_ENABLED: {
    group: 'Telemetry',
    schema: flag.default(true),
    rule: 'true or false',
    help: 'keep e-mail addresses, phone numbers and full IP addresses out of logs',
    lenient: true,
  },
  METRICS_ENABLED: {
    group: 'Telemetry',
    schema: flag.default(true),
    rule: 'true or false',
    help: 'collect metrics',
    lenient: true,
  },
  QUEUES: {
    group: 'Telemetry',
    schema: list.optional(),
    rule: 'names, comma-separated',
    help: 'BullMQ queues to watch',
    lenient: true,
  },
  SENTRY_DSN: {
    group: 'Telemetry',
    schema: url(['https:', 'http:']).optional(),
    rule: 'an https:// address',
    help: 'error tracking',
    secret: true,
    lenient: true,
  },
  SENDGRID_API_KEY: channel('e-mail by SendGrid'),
  RESEND_API_KEY: channel('e-mail by Resend'),
  MAILGUN_API_KEY: channel('e-mail by Mailgun, together with MAILGUN_DOMAIN'),
  MAILGUN_DOMAIN: { ...channel('its sending domain'), secret: false },
  TWILIO_ACCOUNT_SID: channel('WhatsApp by Twilio, together with the next two'),
  TWILIO_AUTH_TOKEN: channel('its token'),
  TWILIO_WHATSAPP_FROM: channel('its sender'),
  SLACK_WEBHOOK_URL: { ...channel('Slack'), schema: url(['https:', 'http:']).optional(), rule: 'an address' },
  ALERT_WEBHOOK_URL: {
    ...channel('any webhook, signed'),
    schema: url(['https:', 'http:']).optional(),
    rule: 'an address',
  },
} as const satisfies Record<string, Variable>

function channel(help: string) {
  return {
    group: 'Alerts',
    schema: text.optional(),
    rule: 'text',
    help,
    secret: true,
    lenient: true,
  } as const
}

export type VariableName = keyof typeof VARIABLES

/** Channels that need every one of their variables, or none. */
export const PAIRS: readonly (readonly VariableName[])[] = [
  ['MAILGUN_API_KEY', 'MAILGUN_DOMAIN'],
  ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN', 'TWILIO_WHATSAPP_FROM'],
]
