import { loadConfig, readVariable } from '../src/config/config.ts'
import { VARIABLES, type Variable } from '../src/config/variables.ts'
import { type Command, EXIT, UsageError } from './command.ts'
import { table } from './table.ts'

const ENVIRONMENTS = ['production', 'staging', 'test', 'development']

/** `parapet env`: what can be set, what must be, what is, and what is wrong. Never a value. */
export const env: Command = {
  name: 'env',
  summary: 'lists the environment variables: what they do, when they are required, whether they are set',
  options: {
    env: { value: '<name>', help: 'look as NODE_ENV=<name> would (default: NODE_ENV)' },
    json: { help: 'as JSON' },
    example: { help: 'print .env.example instead' },
  },
  async run({ env: name, json, example }, { env, out, err }) {
    if (example) {
      out(exampleFile())
      return EXIT.done
    }
    if (name !== undefined && !ENVIRONMENTS.includes(String(name))) {
      throw new UsageError(`--env must be one of ${ENVIRONMENTS.join(', ')}`)
    }
    const environment = name === undefined ? env : { ...env, NODE_ENV: String(name) }
    const data = readVariable(environment, 'ORIGIN_URL') === undefined
    const { config, problems, warnings } = loadConfig(environment, { data })
    const faults = new Map([...warnings, ...problems].map((fault) => [fault.name, fault.reason]))
    const rows = Object.entries<Variable>(VARIABLES).map(([variable, { requiredBy, help, alias }]) => ({
      name: variable,
      required: requirement(requiredBy),
      default: defaultOf(variable as keyof typeof VARIABLES),
      set: [variable, alias].some((key) => key && readVariable(environment, key) !== undefined),
      valid: !problems.some((problem) => problem.name === variable),
      help: alias ? `${help} (also read as ${alias})` : help,
      ...(faults.has(variable) && { fault: faults.get(variable) as string }),
    }))
    if (json) out(`${JSON.stringify({ environment: config.environment, variables: rows }, null, 2)}\n`)
    else {
      out(`Environment: ${config.environment}\n\n`)
      out(
        table(
          ['name', 'set', 'required', 'default', 'what it does'],
          rows.map((row) => [
            row.name,
            row.set ? (row.valid ? 'yes' : 'INVALID') : '-',
            row.required,
            row.default,
            row.help,
          ]),
        ),
      )
      for (const { name, reason } of problems) err(`[env-validation] FATAL ${name} ${reason}\n`)
      for (const { name, reason } of warnings) err(`[env-validation] WARN ${name} ${reason}\n`)
    }
    return problems.length > 0 ? EXIT.badConfiguration : EXIT.done
  },
}

const requirement = (requiredBy: Variable['requiredBy']): string =>
  requiredBy === 'data'
    ? 'in production, by what keeps data'
    : requiredBy === 'accounts'
      ? 'in production, by accounts'
      : '-'

/** What an empty environment gives. */
const DEFAULTS = loadConfig({}).config
const defaultOf = (name: keyof typeof VARIABLES): string => {
  const { fallback } = VARIABLES[name] as Variable
  const value = DEFAULTS[name]
  return fallback ?? (value === undefined ? '-' : String(value))
}

/** The example file, grouped and commented, every line of it off. */
export const exampleFile = (): string => {
  const lines = [
    '# Every variable that Parapet reads. Made by `npx parapet env --example`: change src/config/variables.ts instead.',
  ]
  let current = ''
  for (const [name, { group, help, rule, requiredBy, alias, fallback }] of Object.entries<Variable>(
    VARIABLES,
  )) {
    if (group !== current) lines.push('', `## ${group}`)
    current = group
    const value = fallback ? '' : defaultOf(name as keyof typeof VARIABLES).replace(/^-$/, '')
    lines.push(
      `# ${help}${alias ? ` (also read as ${alias})` : ''}`,
      `#   ${rule}${requiredBy ? `; required ${requirement(requiredBy)}` : ''}`,
      `# ${name}=${value}`,
    )
  }
  return `${lines.join('\n')}\n`
}
