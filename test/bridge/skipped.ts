import { describe, it } from 'vitest'

/** Leaves tests out and says why, on a line of its own: a reporter folds skipped ones away. */
export function skipped(what: string, why: string): void {
  process.stderr.write(`SKIPPED ${what}: ${why}\n`)
  describe(what, () => it.skip(`SKIPPED: ${why}`, () => {}))
}
