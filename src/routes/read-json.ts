import type { Context } from 'hono'
import type * as z from 'zod'
import { AppError } from '../errors.ts'
import { parseJson } from '../gates/json-body.ts'

/**
 * Reads a JSON request body and checks it.
 *
 * @throws {@link AppError} `UNSUPPORTED_MEDIA_TYPE`, `INVALID_JSON`, or `VALIDATION_FAILED` with a list of
 * `{path, code, message}`
 * @example const order = await readJson(c, z.object({ quantity: z.int().positive() }))
 */
export const readJson = async <Schema extends z.ZodType>(
  c: Context,
  schema: Schema,
): Promise<z.output<Schema>> => {
  if (!/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(c.req.header('content-type') ?? '')) {
    throw new AppError('UNSUPPORTED_MEDIA_TYPE', {
      detail: 'Send the body as application/json.',
      headers: { Accept: 'application/json' },
    })
  }
  return validated(schema, parseJson(await c.req.text()))
}

/** Checks a value from a caller, such as the query, by a zod schema. */
export const validated = <Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> => {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw new AppError('VALIDATION_FAILED', {
    errors: result.error.issues.map(({ path, code, message }) => ({ path: path.join('.'), code, message })),
  })
}
