import { within } from '../deadline.ts'
import { AppError, type Refusal } from '../errors.ts'
import { type Arrival, ArrivedVisit } from '../gates/arrival.ts'
import { askGates, type Gate, isRefusal } from '../gates/gate.ts'
import type { Log } from '../log.ts'
import { answerStream } from './answer-stream.ts'
import { describe, explain } from './explain.ts'
import { respond } from './respond.ts'
import { dressing } from './security-headers.ts'

export interface GuardOptions {
  /** In the order in which they are asked. */
  gates: readonly Gate[]
  /** Answers what all gates let pass. */
  routes: (visit: ArrivedVisit) => Response | Promise<Response>
  log: Log
  hsts: boolean
  /** Production or staging. */
  guarded: boolean
  /** Milliseconds. */
  timeoutMs: number
  /** Milliseconds since the epoch. */
  clock?: () => number
}

/**
 * The outermost function: asks the gates, then the routes, and dresses whatever comes of it exactly once.
 * It never throws, so no runtime ever answers in its own words.
 */
export const createGuard = ({
  gates,
  routes,
  log,
  hsts,
  guarded,
  timeoutMs,
  clock = Date.now,
}: GuardOptions) => {
  const dress = dressing({ hsts })

  const answer = async (visit: ArrivedVisit): Promise<Response | Refusal> => {
    try {
      const outcome = askGates(gates, visit)
      const refusal = outcome instanceof Promise ? await within(timeoutMs, outcome, tooLate) : outcome
      if (refusal) return refusal
      const pending = routes(visit)
      const response = pending instanceof Promise ? await within(timeoutMs, pending, tooLate) : pending
      if (visit.bodyFault) return { code: visit.bodyFault }
      const { arrival } = visit
      return await answerStream(response, {
        streams: arrival.streams && ((answered) => arrival.streams?.(answered) ?? true),
        hangUp: arrival.hangUp && (() => arrival.hangUp?.()),
        onFailure: (thrown) => report(visit, 'answer broke off', thrown),
      })
    } catch (thrown) {
      return visit.bodyFault ? { code: visit.bodyFault } : refusalOf(visit, thrown)
    }
  }

  const refusalOf = (visit: ArrivedVisit, thrown: unknown): Refusal => {
    const refusal = explain(thrown)
    if (refusal.code === 'INTERNAL_ERROR') report(visit, 'unhandled error', thrown)
    return refusal
  }

  /** What a handler or a gate made may be no answer at all: a status that is none, a header that cannot be sent. */
  const finish = (visit: ArrivedVisit, outcome: Response | Refusal): Response => {
    try {
      if (isRefusal(outcome)) return dress(respond(outcome, visit), visit)
      if (!isSendable(outcome.status)) throw new RangeError('status')
      return dress(outcome, visit)
    } catch (thrown) {
      return fail(visit, refusalOf(visit, thrown))
    }
  }

  const fail = (visit: ArrivedVisit, refusal: Refusal): Response => {
    try {
      return dress(respond(refusal, visit), visit)
    } catch {
      // What a gate added is what cannot be sent.
      visit.answerHeaders.length = 0
      return dress(respond({ code: 'INTERNAL_ERROR' }, visit), visit)
    }
  }

  const report = (
    { correlationId, trace, method, rawPath }: ArrivedVisit,
    message: string,
    thrown: unknown,
  ) =>
    regardless(() =>
      log.write('error', 'http', message, {
        method,
        path: rawPath,
        err: describe(thrown),
        correlationId,
        traceId: trace.traceId,
      }),
    )

  const entryOf = (visit: ArrivedVisit, { status }: Response) => ({
    method: visit.method,
    path: visit.rawPath,
    status,
    durationMs: clock() - visit.now,
    correlationId: visit.correlationId,
    traceId: visit.trace.traceId,
    spanId: visit.trace.spanId,
    ...(visit.code && { code: visit.code }),
    ...(visit.principal && { principal: visit.principal.id }),
  })

  return async function guard(request: Request, arrival: Arrival): Promise<Response> {
    const visit = new ArrivedVisit(request, arrival, clock(), guarded)
    const outcome = await answer(visit)
    const response = finish(visit, outcome)
    for (const tell of visit.afterwards) regardless(() => tell(response.status))
    if (!visit.quiet) regardless(() => log.request(entryOf(visit, response)))
    return response
  }
}

const isSendable = (status: number): boolean => status === 101 || (status >= 200 && status <= 599)

/** An answer that is there is given, though nobody can be told of it. */
const regardless = (tell: () => void): void => {
  try {
    tell()
  } catch {}
}

const tooLate = () => new AppError('REQUEST_TIMEOUT', { headers: { 'Retry-After': '5' } })
