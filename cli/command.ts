/** How a command ended, as the shell sees it. */
export const EXIT = { done: 0, failed: 1, usage: 2, badConfiguration: 78, interrupted: 130 } as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Where a command reads and writes, so that a test can hand in its own. */
export interface Terminal {
  env: Record<string, string | undefined>
  out(text: string): void
  err(text: string): void
}

/** One argument behind the name of a command. */
export interface Argument {
  name: string
  help: string
  /** What it may be. Anything else is wrong usage. */
  choices?: readonly string[]
  /** The choices of the first argument that ask for this one. The others refuse it. Default: all ask for it. */
  only?: readonly string[]
}

/** One option of a command. A flag has no `value`. */
export interface Option {
  /** What stands for the value in the help, such as `<name>`. */
  value?: string
  help: string
  /** The choices of the first argument that it goes with. Default: all. */
  only?: readonly string[]
}

/** What was given on the command line: options and arguments by their names. */
export type Given = Record<string, string | boolean | undefined>

/** One command: its name, its help and what it does. The help and the docs are made from it. */
export interface Command {
  name: string
  summary: string
  arguments?: readonly Argument[]
  options: Record<string, Option>
  run(given: Given, terminal: Terminal): Promise<ExitCode>
}

/** An argument that a command cannot work with: says which, and what would be right. Exit 2. */
export class UsageError extends Error {}

/** Variables that a command needs and does not have: says which, and what would be right. Exit 78. */
export class ConfigurationError extends Error {}

/** What a command tried and could not do. Exit 1. */
export class CommandFailure extends Error {}
