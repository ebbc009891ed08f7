import * as z from 'zod'
import { instant, isCidr } from '../config/rules.ts'
import { isBlockedPattern } from './blocked-pattern.ts'
import { MAX_ALLOWED, messageText, type WindowRequest } from './switches.ts'

/** Rules of what an operator sends, for the API and the command line alike. Each says what would be right. */

const UNITS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

const LATEST = Date.parse('9999-12-31T23:59:59.999Z')

const WHEN =
  'must be a date and time with its zone, such as 2030-01-31T18:00:00Z, or a time from now, such as 30m, 2h or 1d'
const ADDRESS = { error: 'must be an address or a CIDR, such as 203.0.113.7, 10.0.0.0/8 or 2001:db8::/32' }
const ADDRESSES = { error: `must be a list of at most ${MAX_ALLOWED} addresses and CIDRs` }
const PATTERN = {
  error:
    'must be /exact or /prefix/*: a decoded path that begins with /, without query, %, ; or dot segments',
}

/** A moment: a date with its zone, or how long from now. Gives milliseconds since the epoch. */
const when = (now: number) =>
  z
    .string({ error: WHEN })
    .trim()
    .transform((text, { addIssue }) => {
      const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
      if (unit !== undefined) return now + Number(count) * (UNITS[unit] as number)
      const date = instant.safeParse(text).success ? Date.parse(text) : Number.NaN
      // A later one has no ISO date of four digits any more.
      if (date <= LATEST) return date
      addIssue({ code: 'custom', message: WHEN })
      return z.NEVER
    })

/** A maintenance to begin now, or to schedule. */
export const windowInput = (now: number): z.ZodType<WindowRequest> =>
  z
    .strictObject(
      {
        message: messageText.nullish(),
        from: when(now).nullish(),
        until: when(now).nullish(),
        allow: z
          .array(z.string(ADDRESS).trim().refine(isCidr, ADDRESS), ADDRESSES)
          .max(MAX_ALLOWED, ADDRESSES)
          .nullish(),
      },
      { error: 'must be an object of message, from, until and allow, and of nothing else' },
    )
    .transform(({ message = null, from = null, until = null, allow }) => ({
      message,
      from,
      until,
      allow: allow ?? [],
    }))
    .superRefine(({ from, until }, { addIssue }) => {
      const refuse = (path: 'from' | 'until', message: string) =>
        addIssue({ code: 'custom', path: [path], message })
      if (from !== null && from <= now) {
        refuse('from', 'must be in the future; without it the maintenance begins at once')
      } else if (from !== null && until === null) {
        refuse('until', 'must be given together with from: what is scheduled needs an end')
      } else if (until !== null && until <= now) refuse('until', 'must be in the future')
      else if (until !== null && from !== null && until <= from) refuse('until', 'must be after from')
    })

/** An endpoint to block, or to open again. */
export const blockInput = z.strictObject(
  { pattern: z.string(PATTERN).trim().refine(isBlockedPattern, PATTERN) },
  { error: 'must be an object of pattern, and of nothing else' },
)
