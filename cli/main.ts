import { parseArgs } from 'node:util'
import { bridge } from './bridge.ts'
import { type Command, EXIT, type ExitCode, type Terminal, UsageError } from './command.ts'
import { env } from './env.ts'

/** Every command. The help and the completion come from this table. */
export const COMMANDS: readonly Command[] = [env, bridge]

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
    return await command.run(parse(command, rest), terminal)
  } catch (thrown) {
    if (!(thrown instanceof UsageError)) throw thrown
    terminal.err(`parapet ${name}: ${thrown.message}\n`)
    return EXIT.usage
  }
}

const parse = (command: Command, args: string[]) => {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([key, { value }]) => [
      key,
      { type: value === undefined ? ('boolean' as const) : ('string' as const) },
    ]),
  )
  try {
    return parseArgs({ args, options, strict: true, allowPositionals: false }).values
  } catch (thrown) {
    // Node's own message quotes the argument, which is what was typed, and names the option.
    throw new UsageError((thrown as Error).message.split('. ')[0])
  }
}

const overview = (): string =>
  `${['Usage: parapet <command> [options]', '', ...COMMANDS.map(({ name, summary }) => `  ${name.padEnd(12)} ${summary}`)].join('\n')}\n\nparapet <command> --help shows its options.\n`

const helpOf = ({ name, summary, options }: Command): string =>
  `${[
    `Usage: parapet ${name} [options]`,
    '',
    summary,
    '',
    ...Object.entries(options).map(
      ([key, { value, help }]) => `  ${`--${key}${value ? ` ${value}` : ''}`.padEnd(24)} ${help}`,
    ),
  ].join('\n')}\n`

/** Runs the command of this process. */
export const run = async (): Promise<void> => {
  process.exitCode = await main(process.argv.slice(2), {
    env: process.env,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
  })
}

if (import.meta.main) await run()
