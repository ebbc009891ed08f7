import { blockInput } from '../src/switches/switch-input.ts'
import type { Blocked } from '../src/switches/switches.ts'
import { chooseSwitchTarget } from './choose-switch-target.ts'
import { type Command, EXIT, UsageError } from './command.ts'
import { table } from './table.ts'

/** `parapet block`: blocks endpoints at run time. */
export const block: Command = {
  name: 'block',
  summary: 'blocks endpoints at run time, on every instance and in every environment',
  arguments: [
    { name: 'action', choices: ['add', 'remove', 'list'], help: 'what to do' },
    { name: 'pattern', help: '/exact, or /prefix/* for it and everything below', only: ['add', 'remove'] },
  ],
  options: {
    url: {
      value: '<address>',
      help: 'act through this instance, with INTERNAL_API_KEY (default: the Redis of the environment)',
    },
    json: { help: 'as JSON' },
  },
  async run(given, terminal) {
    const pattern = given.action === 'list' ? '' : checkedPattern(given.pattern)
    const target = await chooseSwitchTarget(given, terminal)
    try {
      const blocked =
        given.action === 'add'
          ? await target.block(pattern)
          : given.action === 'remove'
            ? await target.unblock(pattern)
            : await target.blocks()
      terminal.out(given.json ? `${JSON.stringify({ blocked }, null, 2)}\n` : described(blocked))
      if (!given.json && !given.url && given.action !== 'list') terminal.out(SEEN)
      return EXIT.done
    } finally {
      await target.close()
    }
  },
}

const checkedPattern = (pattern: unknown): string => {
  const { data, error } = blockInput.safeParse({ pattern })
  if (!data) throw new UsageError(`the pattern ${error?.issues[0]?.message}`)
  return data.pattern
}

const described = (blocked: readonly Blocked[]): string =>
  blocked.length === 0
    ? 'No endpoint is blocked at run time.\n'
    : table(
        ['pattern', 'since', 'by'],
        blocked.map(({ pattern, since, by }) => [pattern, since, by]),
      )

const SEEN = '\nEvery instance obeys within 5 seconds.\n'
