/** What a counter counts and by what it is told apart. */
interface Family {
  help: string
  labels: readonly string[]
}

/** Every counter there is. */
export const COUNTERS = {
  parapet_ratelimit_decisions_total: {
    help: 'Rate limit decisions. Outcomes that begin with fallback were made without the store.',
    labels: ['policy', 'outcome'],
  },
  parapet_check_transitions_total: { help: 'Times that a check changed.', labels: ['check', 'to'] },
  parapet_store_changes_total: { help: 'Times that the store went away or came back.', labels: ['to'] },
} as const satisfies Record<string, Family>

export type CounterName = keyof typeof COUNTERS

export interface Counters {
  /** Counts one, by the values of the counter's labels in their order. */
  count(name: CounterName, ...values: string[]): void
  /** All of them in Prometheus' text format, version 0.0.4. */
  text(): string
}

/**
 * Counts in this process. Values of labels come from closed sets, never from a caller.
 *
 * @example counters.count('parapet_ratelimit_decisions_total', 'api', 'allowed')
 */
export const createCounters = (): Counters => {
  const counts = new Map<string, number>()

  return {
    count(name, ...values) {
      const labels = COUNTERS[name].labels.map((label, index) => `${label}="${values[index]}"`)
      const series = `${name}{${labels.join(',')}}`
      counts.set(series, (counts.get(series) ?? 0) + 1)
    },
    text() {
      const lines: string[] = []
      for (const [name, { help }] of Object.entries(COUNTERS)) {
        lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} counter`)
        for (const [series, count] of counts) {
          if (series.startsWith(`${name}{`)) lines.push(`${series} ${count}`)
        }
      }
      return `${lines.join('\n')}\n`
    },
  }
}
