import { parseArgs } from 'node:util'
import { type Argument, type Command, type Given, UsageError } from './command.ts'

/**
 * Reads what stands behind the name of a command, by the command's own table.
 *
 * @throws {@link UsageError} for what the table does not have, and for what is missing
 */
export const parseArguments = (command: Command, args: readonly string[]): Given => {
  const { values, positionals, tokens } = read(command, args)
  const [action] = positionals
  const given: Given = { ...values }

  const places = command.arguments ?? []
  for (const [index, place] of places.entries()) {
    if (!goesWith(place.only, action)) continue
    const value = positionals[index]
    const right = place.choices ? `one of ${place.choices.join(', ')}` : place.help
    if (value === undefined) throw new UsageError(`the ${place.name} is missing: ${right}`)
    if (place.choices && !place.choices.includes(value)) {
      throw new UsageError(`the ${place.name} must be ${right}, not ${JSON.stringify(value)}`)
    }
    given[place.name] = value
  }
  const room = places.filter(({ only }) => goesWith(only, action)).length
  if (positionals.length > room) {
    throw new UsageError(`there is no place for ${JSON.stringify(positionals[room])}`)
  }

  const named = tokens.filter((token) => token.kind === 'option').map(({ name }) => name)
  for (const name of named) {
    const { value, only } = command.options[name] ?? {}
    if (!goesWith(only, action)) throw new UsageError(`--${name} goes with ${only?.join(' and ')} only`)
    if (value !== undefined && named.indexOf(name) !== named.lastIndexOf(name)) {
      throw new UsageError(`--${name} must be given once`)
    }
  }
  return given
}

/** An argument in the help: `<on|off>`, `[pattern]` where not every choice of the first one asks for it. */
export const placeholder = ({ name, choices, only }: Argument): string => {
  const words = choices?.join('|') ?? name
  return only ? `[${words}]` : `<${words}>`
}

const goesWith = (only: readonly string[] | undefined, action: string | undefined): boolean =>
  only === undefined || (action !== undefined && only.includes(action))

const read = (command: Command, args: readonly string[]) => {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([key, { value }]) => [
      key,
      { type: value === undefined ? ('boolean' as const) : ('string' as const) },
    ]),
  )
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: true, tokens: true })
  } catch (thrown) {
    // Node's own message quotes the argument, which is what was typed, and names the option.
    throw new UsageError((thrown as Error).message.split(/\.\s/, 1)[0])
  }
}
