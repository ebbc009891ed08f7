import type { ErrorCode } from '../errors.ts'
import type { Principal } from '../identity/principal.ts'
import type { Visit } from './gate.ts'
import { continueTrace, type TraceContext } from './trace-context.ts'

/** What only the runtime knows of a request. Each adapter hands it in. */
export interface Arrival {
  /** The request target on the wire, where the runtime keeps it. */
  readonly target?: string | undefined
  /** The address at the other end of the connection. */
  readonly peer?: string | undefined
  /** Keeps the isolate alive for work after the answer. */
  waitUntil(work: Promise<unknown>): void
  /** Whether the body of an answer is a stream that can still fail, where the runtime can tell. */
  streams?(response: Response): boolean | Promise<boolean>
  /** Breaks the connection off, for an answer that fails half-way. */
  hangUp?(): void
}

const CORRELATION_ID = /^[A-Za-z0-9_.=-]{1,128}$/

/** One request as the gates see it. It also serves Hono as the execution context, so that routes reach it. */
export class ArrivedVisit implements Visit {
  request: Request
  readonly arrival: Arrival
  readonly method: string
  readonly rawPath: string
  path: string
  readonly now: number
  readonly guarded: boolean
  readonly correlationId: string
  readonly trace: TraceContext
  principal: Principal | undefined = undefined
  readonly answerHeaders: [string, string][] = []
  readonly afterwards: ((status: number) => void)[] = []
  quiet = false
  code: ErrorCode | undefined = undefined
  bodyFault: ErrorCode | undefined = undefined
  readonly props = undefined

  constructor(request: Request, arrival: Arrival, now: number, guarded: boolean) {
    this.request = request
    this.arrival = arrival
    this.now = now
    this.guarded = guarded
    this.method = request.method
    this.rawPath = this.path = pathOf(request.url)
    const given = this.header('x-correlation-id')
    this.correlationId = given !== undefined && CORRELATION_ID.test(given) ? given : crypto.randomUUID()
    this.trace = continueTrace(this.header('traceparent'))
  }

  get target(): string | undefined {
    return this.arrival.target
  }

  get peer(): string | undefined {
    return this.arrival.peer
  }

  header(name: string): string | undefined {
    return this.request.headers.get(name) ?? undefined
  }

  waitUntil(work: Promise<unknown>): void {
    this.arrival.waitUntil(work)
  }

  passThroughOnException(): void {}
}

const pathOf = (url: string): string => {
  const start = url.indexOf('/', url.indexOf('//') + 2)
  if (start === -1) return '/'
  const end = url.slice(start).search(/[?#]/)
  return end === -1 ? url.slice(start) : url.slice(start, start + end)
}
