import type { Config } from '../../config/config.ts'
import { PAIRS, VARIABLES, type VariableName } from '../../config/variables.ts'
import type { Check } from '../check.ts'
import { CheckFailure } from '../failure.ts'

/** What belongs together; every other variable for alerts is a channel by itself. */
const CHANNELS: readonly (readonly VariableName[])[] = [
  ...PAIRS,
  ...(Object.keys(VARIABLES) as VariableName[])
    .filter((name) => VARIABLES[name].group === 'Alerts' && !PAIRS.flat().includes(name))
    .map((name) => [name]),
]

/** At least one channel for alerts must be complete. Half of one beside it is a warning. */
export const channelsCheck = (config: Readonly<Partial<Config>>): Check => ({
  name: 'channels',
  criticality: 'info',
  certain: true,
  async run() {
    const begun = CHANNELS.filter((names) => names.some((name) => config[name] !== undefined))
    const complete = begun.filter((names) => names.every((name) => config[name] !== undefined))
    if (complete.length === 0) throw new CheckFailure('misconfigured')
    return complete.length < begun.length ? 'warn' : undefined
  },
})
