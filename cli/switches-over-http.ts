import * as z from 'zod'
import { ERRORS } from '../src/errors.ts'
import { transportFailure } from '../src/health/failure.ts'
import { CommandFailure, UsageError } from './command.ts'
import type { SwitchTarget } from './switch-target.ts'

const TIMEOUT_MS = 5000
const MAINTENANCE = '/api/admin/maintenance'
const BLOCKS = '/api/admin/blocks'

/** What stands in an answer may end in a terminal. */
const plain = z.string().transform((text) => text.replace(/\p{Cc}/gu, ' '))

const stateSchema = z.object({
  active: z.boolean(),
  source: z.enum(['environment', 'switch']).nullable(),
  until: plain.nullable(),
  message: plain.nullable(),
  windows: z.array(
    z.object({
      id: plain,
      from: plain,
      until: plain.nullable(),
      message: plain.nullable(),
      allow: z.array(plain),
      by: plain,
      open: z.boolean(),
    }),
  ),
  known: z.boolean(),
})
const blocksSchema = z
  .object({ blocked: z.array(z.object({ pattern: plain, since: plain, by: plain })) })
  .transform(({ blocked }) => blocked)
const problemSchema = z.object({
  code: z.string(),
  detail: plain,
  errors: z.array(z.object({ path: plain, message: plain })).optional(),
})

export interface SwitchesOverHttpOptions {
  /** The instance. A path in it is put before every path. */
  url: string
  /** The operator token of that instance. */
  token: string
}

/** Flips switches through the operator API of a running instance. */
export const switchesOverHttp = ({ url, token }: SwitchesOverHttpOptions): SwitchTarget => {
  const base = url.replace(/\/+$/, '')

  const call = async <T>(schema: z.ZodType<T>, method: string, path: string, body?: object): Promise<T> => {
    const { status, answer } = await ask(method, base + path, token, body)
    const success = status === 200 ? schema.safeParse(answer) : undefined
    if (success?.success) return success.data
    const problem = problemSchema.safeParse(answer).data
    if (status === 401) throw new CommandFailure('the instance does not accept INTERNAL_API_KEY')
    if (problem?.errors?.length) {
      const said = problem.errors.map((error) => `${error.path && `--${error.path} `}${error.message}`)
      throw new UsageError(said.join('; '))
    }
    if (!problem || problem.detail === ERRORS.NOT_FOUND[2]) {
      throw new CommandFailure(`there is no operator API of Parapet at --url (status ${status})`)
    }
    throw new CommandFailure(problem.detail)
  }

  return {
    state: () => call(stateSchema, 'GET', MAINTENANCE),
    on: (window) => call(stateSchema, 'PUT', MAINTENANCE, window),
    off: (all) => call(stateSchema, 'DELETE', `${MAINTENANCE}?all=${all}`),
    blocks: () => call(blocksSchema, 'GET', BLOCKS),
    block: (pattern) => call(blocksSchema, 'POST', BLOCKS, { pattern }),
    unblock: (pattern) => call(blocksSchema, 'DELETE', `${BLOCKS}?pattern=${encodeURIComponent(pattern)}`),
    close: async () => {},
  }
}

const ask = async (method: string, url: string, token: string, body: object | undefined) => {
  try {
    const response = await fetch(url, {
      method,
      headers: {
        Authorization: `Bearer ${token}`,
        Accept: 'application/json',
        ...(body && { 'Content-Type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
      // A token follows no redirect.
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const text = await response.text()
    return { status: response.status, answer: parsed(text) }
  } catch (thrown) {
    throw new CommandFailure(`the instance at --url cannot be reached (${transportFailure(thrown)})`)
  }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
