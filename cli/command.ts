/** How a command ended, as the shell sees it. */
export const EXIT = { done: 0, failed: 1, usage: 2, badConfiguration: 78, interrupted: 130 } as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Where a command reads and writes, so that a test can hand in its own. */
export interface Terminal {
  env: Record<string, string | undefined>
  out(text: string): void
  err(text: string): void
}

/** One option of a command. A flag has no `value`. */
export interface Option {
  /** What stands for the value in the help, such as `<name>`. */
  value?: string
  help: string
}

/** One command: its name, its help and what it does. The help and the docs are made from it. */
export interface Command {
  name: string
  summary: string
  options: Record<string, Option>
  run(options: Record<string, string | boolean | undefined>, terminal: Terminal): Promise<ExitCode>
}

/** An argument that a command cannot work with: says which, and what would be right. Exit 2. */
export class UsageError extends Error {}
