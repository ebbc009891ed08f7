import type { MaintenanceState } from '../src/switches/maintenance.ts'
import { windowInput } from '../src/switches/switch-input.ts'
import { chooseSwitchTarget } from './choose-switch-target.ts'
import { type Command, EXIT, type Given, UsageError } from './command.ts'
import type { TypedWindow } from './switch-target.ts'
import { table } from './table.ts'

/** `parapet maintenance`: closes the house, opens it, says how it stands. */
export const maintenance: Command = {
  name: 'maintenance',
  summary: 'closes the house for maintenance, now or later, and opens it again, on every instance',
  arguments: [{ name: 'action', choices: ['on', 'off', 'status'], help: 'what to do' }],
  options: {
    message: { value: '<text>', help: 'what visitors read', only: ['on'] },
    from: {
      value: '<time>',
      help: 'begin then: a date with its zone, or 30m, 2h, 1d from now',
      only: ['on'],
    },
    until: { value: '<time>', help: 'end by itself then, in the same forms', only: ['on'] },
    allow: { value: '<list>', help: 'addresses and CIDRs that pass, comma-separated', only: ['on'] },
    all: { help: 'take back what is scheduled too', only: ['off'] },
    url: {
      value: '<address>',
      help: 'act through this instance, with INTERNAL_API_KEY (default: the Redis of the environment)',
    },
    json: { help: 'as JSON' },
  },
  async run(given, terminal) {
    const window = typedWindow(given)
    if (given.action === 'on') checkWindow(window)
    const target = await chooseSwitchTarget(given, terminal)
    try {
      const state =
        given.action === 'on'
          ? await target.on(window)
          : given.action === 'off'
            ? await target.off(given.all === true)
            : await target.state()
      terminal.out(given.json ? `${JSON.stringify(state, null, 2)}\n` : described(state))
      if (!given.json && !given.url && given.action !== 'status') terminal.out(SEEN)
      return EXIT.done
    } finally {
      await target.close()
    }
  },
}

const typedWindow = ({ message, from, until, allow }: Given): TypedWindow => ({
  ...(message !== undefined && { message: String(message) }),
  ...(from !== undefined && { from: String(from) }),
  ...(until !== undefined && { until: String(until) }),
  ...(allow !== undefined && { allow: String(allow).split(',') }),
})

const checkWindow = (window: TypedWindow): void => {
  const { error } = windowInput(Date.now()).safeParse(window)
  const issue = error?.issues[0]
  if (issue) throw new UsageError(`--${String(issue.path[0])} ${issue.message}`)
}

const described = ({ active, source, until, message, windows, known }: MaintenanceState): string => {
  const lines = [
    active
      ? `Maintenance: on, by the ${source}${until ? `, until ${until}` : ', without an end'}`
      : 'Maintenance: off',
    ...(message ? [`Message: ${message}`] : []),
    ...(known ? [] : ['The instance could not read the switches yet: what it shows may be incomplete.']),
  ]
  const rows = windows.map(({ from, until, open, by, allow, message }) => [
    open ? 'open' : 'scheduled',
    from,
    until ?? '-',
    by,
    allow.join(',') || '-',
    message ?? '-',
  ])
  return `${lines.join('\n')}\n${rows.length > 0 ? `\n${table(HEAD, rows)}` : ''}`
}

const HEAD = ['window', 'from', 'until', 'by', 'passes', 'message']

const SEEN = '\nEvery instance obeys within 5 seconds.\n'
