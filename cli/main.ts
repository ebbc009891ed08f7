import { block } from './block.ts'
import { bridge } from './bridge.ts'
import {
  type Command,
  CommandFailure,
  ConfigurationError,
  EXIT,
  type ExitCode,
  type Terminal,
  UsageError,
} from './command.ts'
import { env } from './env.ts'
import { maintenance } from './maintenance.ts'
import { parseArguments, placeholder } from './parse-arguments.ts'

/** Every command. The help and the completion come from this table. */
export const COMMANDS: readonly Command[] = [env, maintenance, block, bridge]

/** Runs `parapet <command> …` and says with which code the process should end. */
export const main = async (args: readonly string[], terminal: Terminal): Promise<ExitCode> => {
  const [name, ...rest] = args
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    terminal.out(overview())
    return name === undefined ? EXIT.usage : EXIT.done
  }
  const command = COMMANDS.find((candidate) => candidate.name === name)
  if (!command) {
    terminal.err(`parapet: there is no command ${JSON.stringify(name)}; parapet help lists them\n`)
    return EXIT.usage
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    terminal.out(helpOf(command))
    return EXIT.done
  }
  try {
    return await command.run(parseArguments(command, rest), terminal)
  } catch (thrown) {
    const code = exitOf(thrown)
    if (code === undefined) throw thrown
    terminal.err(`parapet ${name}: ${(thrown as Error).message}\n`)
    return code
  }
}

const exitOf = (thrown: unknown): ExitCode | undefined =>
  thrown instanceof UsageError
    ? EXIT.usage
    : thrown instanceof ConfigurationError
      ? EXIT.badConfiguration
      : thrown instanceof CommandFailure
        ? EXIT.failed
        : undefined

const overview = (): string =>
  `${['Usage: parapet <command> [options]', '', ...COMMANDS.map(({ name, summary }) => `  ${name.padEnd(12)} ${summary}`)].join('\n')}\n\nparapet <command> --help shows its options.\n`

const helpOf = ({ name, summary, arguments: places = [], options }: Command): string => {
  const line = (what: string, help: string, only?: readonly string[]) =>
    `  ${what.padEnd(24)} ${help}${only ? ` (${only.join(', ')})` : ''}`
  return `${[
    `Usage: parapet ${[name, ...places.map(placeholder), '[options]'].join(' ')}`,
    '',
    summary,
    '',
    ...places.map((place) => line(placeholder(place), place.help, place.only)),
    ...Object.entries(options).map(([key, { value, help, only }]) =>
      line(`--${key}${value ? ` ${value}` : ''}`, help, only),
    ),
  ].join('\n')}\n`
}

/** Runs the command of this process. */
export const run = async (): Promise<void> => {
  process.exitCode = await main(process.argv.slice(2), {
    env: process.env,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
  })
}

if (import.meta.main) await run()
