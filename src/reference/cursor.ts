import * as z from 'zod'

/** Where a page ended: the last row's creation time, to the microsecond as Postgres writes it, and its id. */
export type Cursor = [createdAt: string, id: string]

const TIMESTAMP = /^\d{4,6}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?[+-]\d\d(?::\d\d){0,2}$/

const partsSchema = z.tuple([z.string().regex(TIMESTAMP), z.guid()])

export const encodeCursor = (cursor: Cursor): string =>
  btoa(JSON.stringify(cursor)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')

/** Reads a cursor back. Callers must not look inside; one that was made up is refused. */
export const cursorSchema = z.string().transform((text, context): Cursor => {
  try {
    return partsSchema.parse(JSON.parse(atob(text.replaceAll('-', '+').replaceAll('_', '/'))))
  } catch {
    context.addIssue({ code: 'custom', message: 'Must be the nextCursor of an earlier page' })
    return z.NEVER
  }
})
