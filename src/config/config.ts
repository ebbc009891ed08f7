import * as z from 'zod'
import { isLoopback } from './rules.ts'
import { weaknessOf } from './secrets.ts'
import { PAIRS, VARIABLES, type Variable, type VariableName } from './variables.ts'

/** The environment as it comes from `process.env`, `Bun.env` or a Worker's bindings. */
export type Environment = Readonly<Record<string, unknown>>

/** What an app has on, as far as it decides which variables are required. */
export interface Features {
  /** Keeps data in Postgres: the reference API, accounts, audit. */
  data?: boolean
  accounts?: boolean
  /** Answers CORS with credentials, so that `*` cannot be allowed. */
  credentials?: boolean
}

/** One variable at fault. It names the variable and the rule, never the value. */
export interface Problem {
  name: string
  reason: string
}

type Values = { readonly [Name in VariableName]: z.output<(typeof VARIABLES)[Name]['schema']> }

/** The environment once it is checked, with what follows from it. */
export interface Config extends Values {
  readonly environment: Values['NODE_ENV']
  /** Production or staging: what is destructive is blocked, and what is missing is a fault. */
  readonly guarded: boolean
  /** Whether rate limits hold. */
  readonly limited: boolean
  readonly hsts: boolean
  readonly logFormat: 'json' | 'text'
  readonly origins: readonly string[]
  /** Values that must never be written anywhere, longest first. */
  readonly secretValues: readonly string[]
}

export interface LoadedConfig {
  config: Config
  /** Critical: the app answers probes only while there is one. */
  problems: Problem[]
  warnings: Problem[]
}

const schema = z.object(
  Object.fromEntries(Object.entries(VARIABLES).map(([name, { schema }]) => [name, schema])),
) as unknown as z.ZodObject<{ [Name in VariableName]: (typeof VARIABLES)[Name]['schema'] }>

/** A variable's text. Blank counts as not set; a Worker's other bindings are not text. */
export const readVariable = (env: Environment, name: string): string | undefined => {
  const value = env[name]
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
}

/**
 * Reads and checks the whole environment at once.
 *
 * A variable at fault is left at its default, so that what is not critical goes on working.
 *
 * @example
 * ```ts
 * const { config, problems } = loadConfig(process.env, { data: true })
 * for (const { name, reason } of problems) console.error(`${name} ${reason}`)
 * ```
 */
export const loadConfig = (env: Environment, features: Features = {}): LoadedConfig => {
  const problems: Problem[] = []
  const warnings: Problem[] = []
  const given: Record<string, string | undefined> = {}
  /** A value at fault counts as not set from here on. */
  const report = (name: string, reason: string) => {
    const lenient = (VARIABLES as Record<string, Variable>)[name]?.lenient
    ;(lenient ? warnings : problems).push({ name, reason })
    delete given[name]
  }

  for (const [name, variable] of Object.entries<Variable>(VARIABLES)) {
    const own = readVariable(env, name)
    const other = variable.alias && readVariable(env, variable.alias)
    given[name] = own ?? other
    if (own && other && own !== other) report(name, `differs from ${variable.alias}: set one of the two`)
  }
  if (readVariable(env, 'NODE_ENV') === undefined) {
    warnings.push({ name: 'NODE_ENV', reason: 'is not set: counts as production' })
  }
  const { error } = schema.safeParse(given)
  for (const name of new Set(error?.issues.map(({ path }) => String(path[0])))) {
    report(name, `must be ${VARIABLES[name as VariableName].rule}`)
  }

  const { NODE_ENV, CORS_ORIGIN, SKIP_RATE_LIMIT } = schema.parse(given) as Values
  const guarded = NODE_ENV === 'production' || NODE_ENV === 'staging'
  const isMissing = (name: string) => given[name] === undefined && readVariable(env, name) === undefined

  for (const [name, { requiredBy }] of Object.entries<Variable>(VARIABLES)) {
    if (guarded && requiredBy && features[requiredBy] && isMissing(name)) report(name, 'is required')
  }
  const weakness = given.INTERNAL_API_KEY && weaknessOf(given.INTERNAL_API_KEY, guarded ? 32 : 0)
  if (weakness) report('INTERNAL_API_KEY', weakness)
  if (CORS_ORIGIN?.includes('*') && features.credentials !== false) {
    report('CORS_ORIGIN', 'must list origins: * cannot be allowed together with credentials')
  }
  for (const [first, second] of sharedSecrets(given)) {
    report(second, `has the same value as ${first}: use different secrets`)
  }
  for (const [one, other] of [UPSTASH, [...UPSTASH].reverse()] as [string, string][]) {
    if (given[one] !== undefined && isMissing(other)) report(other, `must be set too: it goes with ${one}`)
  }
  for (const channel of PAIRS.filter((names) => names.some((name) => given[name] !== undefined))) {
    for (const name of channel.filter(isMissing)) {
      warnings.push({ name, reason: `is not set: ${channel.join(', ')} belong together` })
    }
  }
  if (SKIP_RATE_LIMIT && guarded)
    warnings.push({ name: 'SKIP_RATE_LIMIT', reason: `is ignored in ${NODE_ENV}` })

  return { config: derive(schema.parse(given) as Values, guarded, env), problems, warnings }
}

const UPSTASH = ['UPSTASH_REDIS_REST_URL', 'UPSTASH_REDIS_REST_TOKEN']

/** Secrets that protect different things and are the same, as pairs of names. */
const sharedSecrets = (given: Record<string, string | undefined>): [string, string][] => {
  const names = [
    'JWT_ACCESS_SECRET',
    'JWT_REFRESH_SECRET',
    'SESSION_SECRET',
    'INTERNAL_API_KEY',
    'ENCRYPTION_KEY',
    'WEBHOOK_SECRET',
    'UPSTASH_REDIS_REST_TOKEN',
  ]
  const seen = new Map<string, string>()
  const pairs: [string, string][] = []
  for (const name of names) {
    const value = given[name]
    if (value === undefined) continue
    const first = seen.get(value)
    if (first) pairs.push([first, name])
    else seen.set(value, name)
  }
  return pairs
}

const derive = (values: Values, guarded: boolean, env: Environment): Config => {
  const origins = new Set([
    ...(values.CORS_ORIGIN ?? []).map((origin) => (origin === '*' ? origin : new URL(origin).origin)),
    ...(values.REPLIT_DOMAINS ?? []).map((host) => new URL(`https://${host}`).origin),
    ...(values.BASE_URL ? [new URL(values.BASE_URL).origin] : []),
  ])
  return {
    ...values,
    environment: values.NODE_ENV,
    guarded,
    limited: guarded || !values.SKIP_RATE_LIMIT,
    hsts: values.ENABLE_HSTS ?? values.NODE_ENV === 'production',
    logFormat: values.LOG_FORMAT ?? (values.NODE_ENV === 'production' ? 'json' : 'text'),
    origins: [...origins],
    secretValues: secretValues(env),
  }
}

const secretValues = (env: Environment): string[] => {
  const found = new Set<string>()
  for (const [name, variable] of Object.entries<Variable>(VARIABLES)) {
    if (!variable.secret) continue
    for (const key of [name, variable.alias]) {
      const value = key && readVariable(env, key)
      if (!value) continue
      for (const part of [value, ...value.split(',')]) {
        found.add(part)
        // A key of several stands behind its id.
        if (name === 'ENCRYPTION_KEYS') found.add(part.slice(part.indexOf(':') + 1))
      }
      if (URL.canParse(value)) {
        const { hostname, password } = new URL(value)
        for (const part of [password, safeDecode(password)]) found.add(part)
        if (!isLoopback(hostname)) found.add(hostname)
      }
    }
  }
  return [...found].filter((value) => value.length >= 6).sort((a, b) => b.length - a.length)
}

const safeDecode = (value: string): string => {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}
