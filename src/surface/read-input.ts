import type * as z from 'zod'
import { AppError, type Issue } from '../errors.ts'
import { bodyLimit } from '../gates/body-limit.ts'
import { isRefusal, type Visit } from '../gates/gate.ts'
import { parseJson } from '../gates/json-body.ts'
import { validated } from '../routes/read-json.ts'

/** Bytes. The surface comes before the limit of the app, which may be any. */
const LIMIT = 64 * 1024
const capped = bodyLimit({ limit: LIMIT })

/**
 * Reads the JSON body of an operator's request and checks it.
 *
 * @throws {@link AppError} `UNSUPPORTED_MEDIA_TYPE`, `PAYLOAD_TOO_LARGE`, `INVALID_JSON`, `VALIDATION_FAILED`
 */
export const readBody = async <Schema extends z.ZodType>(
  visit: Visit,
  schema: Schema,
): Promise<z.output<Schema>> => {
  if (!/^application\/json\s*(?:;|$)/i.test(visit.header('content-type') ?? '')) {
    throw new AppError('UNSUPPORTED_MEDIA_TYPE', {
      detail: 'Send the body as application/json.',
      headers: { Accept: 'application/json' },
    })
  }
  const outcome = await capped(visit)
  if (outcome && isRefusal(outcome)) throw new AppError(outcome.code)
  return validated(schema, parseJson(await visit.request.text()))
}

/**
 * Reads the query of an operator's request and checks it. A name that is there twice says nothing.
 *
 * @throws {@link AppError} `VALIDATION_FAILED`
 */
export const readQuery = <Schema extends z.ZodType>({ request }: Visit, schema: Schema): z.output<Schema> => {
  const { searchParams } = new URL(request.url)
  const names = [...searchParams.keys()]
  const repeated = names.filter((name, index) => names.indexOf(name) !== index)
  if (repeated.length > 0) {
    const errors: Issue[] = [{ path: '', code: 'repeated', message: 'must not name anything twice' }]
    throw new AppError('VALIDATION_FAILED', { errors })
  }
  return validated(schema, Object.fromEntries(searchParams))
}
