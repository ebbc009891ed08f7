import * as z from 'zod'
import { instant, isCidr } from '../config/rules.ts'
import { AppError } from '../errors.ts'
import { canonicalPattern, isBlockedPattern } from './blocked-pattern.ts'

/** Where the document lies in Redis. */
export const SWITCHES_KEY = 'parapet:switches'

const MAX_WINDOWS = 20
const MAX_BLOCKED = 200
export const MAX_ALLOWED = 100

/** Who flipped a switch: the operator API or the command line. */
export type Author = 'operator' | 'command'

const MESSAGE_RULE = { error: 'must be one line of 1 to 500 characters' }

/** What visitors read. */
export const messageText = z
  .string(MESSAGE_RULE)
  .trim()
  .min(1, MESSAGE_RULE)
  .max(500, MESSAGE_RULE)
  .refine((text) => text.isWellFormed() && !/[\p{Cc}\u2028\u2029]/u.test(text), MESSAGE_RULE)

const windowSchema = z.object({
  id: z.string().min(1).max(64),
  from: instant,
  until: instant.nullable(),
  message: messageText.nullable(),
  allow: z.array(z.string().refine(isCidr)).max(MAX_ALLOWED),
  by: z.string().max(64),
})

const blockedSchema = z.object({
  pattern: z.string().refine(isBlockedPattern),
  since: instant,
  by: z.string().max(64),
})

const switchesSchema = z.object({
  epoch: z.string().max(64),
  windows: z.array(windowSchema).max(MAX_WINDOWS),
  blocked: z.array(blockedSchema).max(MAX_BLOCKED),
})

/** A maintenance, closed from one moment until another, or until it is ended. */
export type Window = Readonly<z.output<typeof windowSchema>>
/** An endpoint that is blocked at run time. */
export type Blocked = Readonly<z.output<typeof blockedSchema>>

/** Everything that an operator flips at run time: one document, which all instances read. */
export interface Switches {
  /** Changes with every change of the windows, so that bypass cookies of before are worth nothing. */
  readonly epoch: string
  readonly windows: readonly Window[]
  readonly blocked: readonly Blocked[]
}

/** Nobody has flipped anything. */
export const NO_SWITCHES: Switches = { epoch: '', windows: [], blocked: [] }

/**
 * Reads the document, `null` where none was ever stored. What is no such document is nothing that can be read, and
 * never a house that is open.
 */
export const parseSwitches = (text: string | null): Switches | undefined => {
  if (text === null) return NO_SWITCHES
  try {
    return switchesSchema.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

/** The window that is open at a moment; of several the one that ends last. */
export const openWindow = ({ windows }: Switches, now: number): Window | undefined => {
  let last: Window | undefined
  for (const window of windows) {
    if (isOpen(window, now) && (last === undefined || endOf(window) > endOf(last))) last = window
  }
  return last
}

export const isOpen = (window: Window, now: number): boolean =>
  Date.parse(window.from) <= now && now < endOf(window)

/** Milliseconds since the epoch. */
export const endOf = ({ until }: Window): number =>
  until === null ? Number.POSITIVE_INFINITY : Date.parse(until)

/** A maintenance as an operator asks for it. Times in milliseconds since the epoch. */
export interface WindowRequest {
  /** Now where it is left out. */
  from: number | null
  until: number | null
  message: string | null
  allow: readonly string[]
}

/**
 * Closes the house: at once, in place of every window that is open, or later beside the others.
 *
 * @throws {@link AppError} `CONFLICT` where there are as many windows as fit
 */
export const withWindow = (switches: Switches, request: WindowRequest, by: Author, now: number): Switches => {
  const { from, until, message, allow } = request
  const kept = switches.windows.filter(
    (window) => now < endOf(window) && (from !== null || !isOpen(window, now)),
  )
  if (kept.length >= MAX_WINDOWS) {
    throw new AppError('CONFLICT', { detail: `There are ${MAX_WINDOWS} maintenance windows already.` })
  }
  const window: Window = {
    id: crypto.randomUUID(),
    from: new Date(from ?? now).toISOString(),
    until: until === null ? null : new Date(until).toISOString(),
    message,
    allow: [...allow],
    by,
  }
  return { ...switches, epoch: crypto.randomUUID(), windows: [...kept, window] }
}

/** Ends what is open, and with `all` also takes back what is scheduled. The same document where there is nothing. */
export const withoutWindows = (switches: Switches, now: number, { all = false } = {}): Switches => {
  const windows = switches.windows.filter((window) => now < endOf(window) && !all && !isOpen(window, now))
  if (windows.length === switches.windows.length) return switches
  return { ...switches, epoch: crypto.randomUUID(), windows }
}

/**
 * Blocks an endpoint. The same document where it is blocked already.
 *
 * @throws {@link AppError} `CONFLICT` where there are as many as fit
 */
export const withBlocked = (switches: Switches, pattern: string, by: Author, now: number): Switches => {
  const canonical = canonicalPattern(pattern)
  if (switches.blocked.some((blocked) => canonicalPattern(blocked.pattern) === canonical)) return switches
  if (switches.blocked.length >= MAX_BLOCKED) {
    throw new AppError('CONFLICT', { detail: `There are ${MAX_BLOCKED} blocked endpoints already.` })
  }
  return { ...switches, blocked: [...switches.blocked, { pattern, since: new Date(now).toISOString(), by }] }
}

/**
 * Opens an endpoint again, however it is spelled.
 *
 * @throws {@link AppError} `NOT_FOUND` where it is not blocked
 */
export const withoutBlocked = (switches: Switches, pattern: string): Switches => {
  const canonical = canonicalPattern(pattern)
  const blocked = switches.blocked.filter((blocked) => canonicalPattern(blocked.pattern) !== canonical)
  if (blocked.length === switches.blocked.length) {
    throw new AppError('NOT_FOUND', { detail: 'That pattern is not blocked.' })
  }
  return { ...switches, blocked }
}
