import type { ErrorCode, Refusal } from '../errors.ts'
import type { Principal } from '../identity/principal.ts'
import type { TraceContext } from './trace-context.ts'

/** One request on its way through the gates. A plain object: a test writes it as a literal. */
export interface Visit {
  /** The request itself, for its body. A gate may put a wrapped one in its place. */
  request: Request
  /** Upper case. */
  readonly method: string
  /** The path as it was sent, without the query: `/api/caf%C3%A9`. */
  readonly rawPath: string
  /** The path as the gates and the routes read it, decoded once: `/api/café`. */
  path: string
  /** The request target on the wire where the runtime still has it: `/a/../b?c`, `http://host/`. */
  readonly target: string | undefined
  /** The value of a request header, or nothing. */
  header(name: string): string | undefined
  /** The address at the other end of the connection, where the runtime knows it. */
  readonly peer: string | undefined
  readonly correlationId: string
  readonly trace: TraceContext
  /** Milliseconds since the epoch, when the request came in. */
  readonly now: number
  /** Production or staging: what is destructive is refused. */
  readonly guarded: boolean
  principal: Principal | undefined
  /** Headers that the answer gets whatever it is, as gates add them. */
  readonly answerHeaders: [name: string, value: string][]
  /** Probes are not logged as requests. */
  quiet: boolean
  /** The code of the refusal that this visit ended with, for the log. */
  code: ErrorCode | undefined
  /** What was wrong with the body as far as it was read, even where the handler swallows the failure. */
  bodyFault: ErrorCode | undefined
  /** Tells how the visit ended, once it is answered. */
  readonly afterwards: ((status: number) => void)[]
  /** Work that may go on after the answer. */
  waitUntil(work: Promise<unknown>): void
}

/** What a gate says: nothing (the next one is asked), a refusal, or a finished answer. */
export type Outcome = Refusal | Response | undefined

/**
 * A guardrail: looks at a visit and may end it.
 *
 * @example
 * ```ts
 * const teapot: Gate = (visit) => (visit.path === '/coffee' ? { code: 'FORBIDDEN' } : undefined)
 * ```
 */
export type Gate = (visit: Visit) => Outcome | Promise<Outcome>

/**
 * Asks the gates in their order until one answers. Waits only for what is a promise.
 */
export const askGates = (gates: readonly Gate[], visit: Visit, from = 0): Outcome | Promise<Outcome> => {
  for (let index = from; index < gates.length; index++) {
    const outcome = (gates[index] as Gate)(visit)
    if (outcome instanceof Promise) {
      return outcome.then((settled) => settled ?? askGates(gates, visit, index + 1))
    }
    if (outcome) return outcome
  }
  return undefined
}

export const isRefusal = (outcome: Refusal | Response): outcome is Refusal => 'code' in outcome
