import type { Handler } from '../bridge/handler.ts'
import { ConnectionDropped } from '../bridge/listen.ts'

/** The two protocols, told apart by their path. */
export type Service = 'sql' | 'redis'

const MODES = [
  'delay', // runs the request, but only after `ms`
  'hang', // never answers; ends when the caller goes away
  'drop-before', // cuts the connection, the request never ran
  'drop-after', // runs the request, then cuts the connection instead of answering
  'status', // answers `status`, 503 unless said otherwise
  'html', // answers a page, with `status`, 200 unless said otherwise
  'half-json', // runs the request and answers the first half of the body
  'wrong-json', // answers valid JSON that is not the protocol's
  'rate-limited', // answers 429 with Retry-After
] as const

/** What goes wrong; see the list above for what each mode does. */
export type FaultMode = (typeof MODES)[number]

export interface Fault {
  readonly mode: FaultMode
  /** Only this service; both if absent. */
  readonly service?: Service
  /** How many requests it hits; all until cleared if absent. */
  readonly times?: number
  /** For `delay`, in ms. */
  readonly ms?: number
  /** For `status` and `html`. */
  readonly status?: number
}

/** Requests seen, and how many of them were executed by the wrapped handler. */
export type RequestCounts = Readonly<
  Record<Service, { readonly requests: number; readonly executed: number }>
>

export interface FaultControl {
  /** Adds a fault; the oldest that fits a request is the one it meets. */
  inject(fault: Fault): void
  /** Takes all faults away and sets the counters to zero. */
  clear(): void
  read(): { readonly faults: readonly Fault[]; readonly counts: RequestCounts }
}

/**
 * Wraps a handler so that it can fail the ways a network and a vendor do; for development and tests only. A fault is
 * chosen for one request by its header `X-Parapet-Fault: drop-after` (or `delay:250`, `status:502`, `html:502`), for
 * many by `control` or over HTTP by `PUT /__faults`; `GET` reads faults and counters, `DELETE` clears both.
 *
 * @example
 * const { handler, control } = withFaults(routes([['/sql', sql], ['/', redis]]))
 * control.inject({ service: 'redis', mode: 'hang', times: 3 })
 */
export function withFaults(wrapped: Handler): { handler: Handler; control: FaultControl } {
  let faults: Fault[] = []
  let counts = noRequests()

  function take(service: Service): Fault | undefined {
    const fault = faults.find((one) => !one.service || one.service === service)
    if (fault?.times === undefined) return fault
    const left = { ...fault, times: fault.times - 1 }
    faults = faults.flatMap((one) => (one !== fault ? [one] : left.times > 0 ? [left] : []))
    return fault
  }

  const control: FaultControl = {
    inject: (fault) => void faults.push(checked(fault)),
    clear() {
      faults = []
      counts = noRequests()
    },
    read: () => ({ faults: [...faults], counts: structuredClone(counts) }),
  }

  async function overHttp(request: Request): Promise<Response> {
    switch (request.method) {
      case 'GET':
        break
      case 'DELETE':
        control.clear()
        break
      case 'PUT':
        control.inject(await request.json().catch(() => undefined))
        break
      default:
        return Response.json(
          { error: 'method not allowed' },
          { status: 405, headers: { allow: 'GET, PUT, DELETE' } },
        )
    }
    return Response.json(control.read())
  }

  async function answer(request: Request, pathname: string): Promise<Response> {
    const service: Service = pathname === '/sql' ? 'sql' : 'redis'
    const header = request.headers.get('x-parapet-fault')
    const fault = header === null ? undefined : checked(parseHeader(header))
    counts[service].requests++
    const execute: Handler = (executed) => {
      counts[service].executed++
      return wrapped(executed)
    }
    return meet(fault ?? take(service), request, execute)
  }

  async function handler(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    try {
      return pathname === '/__faults' ? await overHttp(request) : await answer(request, pathname)
    } catch (error) {
      if (error instanceof UnknownFault) return Response.json({ error: error.message }, { status: 400 })
      throw error
    }
  }

  return { handler, control }
}

async function meet(fault: Fault | undefined, request: Request, execute: Handler): Promise<Response> {
  switch (fault?.mode) {
    case undefined:
      return execute(request)
    case 'delay':
      await pause(fault.ms ?? 1000, request.signal)
      return execute(request)
    case 'hang':
      await pause(undefined, request.signal)
      throw new ConnectionDropped()
    case 'drop-before':
      throw new ConnectionDropped()
    case 'drop-after':
      await (await execute(request)).arrayBuffer()
      throw new ConnectionDropped()
    case 'status':
      return Response.json({ error: 'injected fault' }, { status: fault.status ?? 503 })
    case 'html': {
      const headers = { 'content-type': 'text/html' }
      return new Response('<html><body>Bad gateway</body></html>', { status: fault.status ?? 200, headers })
    }
    case 'half-json': {
      const response = await execute(request)
      const body = await response.text()
      return new Response(body.slice(0, body.length / 2), response)
    }
    case 'wrong-json':
      return Response.json({ unexpected: true })
    case 'rate-limited':
      return Response.json(
        { error: 'ERR max daily request limit exceeded. Limit: 10000, Usage: 10000.' },
        { status: 429, headers: { 'retry-after': '1' } },
      )
  }
}

/** Waits for the time, or for ever if there is none; rejects when the caller goes away. */
function pause(ms: number | undefined, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      clearTimeout(timer)
      reject(new ConnectionDropped())
    }
    const timer = ms === undefined ? undefined : setTimeout(resolve, ms)
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave, { once: true })
  })
}

class UnknownFault extends Error {}

function parseHeader(header: string): Record<string, unknown> {
  const [mode, figure] = header.split(':')
  if (figure === undefined) return { mode }
  return mode === 'delay' ? { mode, ms: Number(figure) } : { mode, status: Number(figure) }
}

/** What came in as a fault, or why it is none. */
function checked(given: unknown): Fault {
  if (typeof given !== 'object' || given === null)
    throw new UnknownFault('a fault is a JSON object with a mode')
  const { mode, service, times, ms, status, ...rest }: Record<string, unknown> = { ...given }
  const known = MODES.find((one) => one === mode)
  if (!known) throw new UnknownFault(`unknown mode ${JSON.stringify(mode)}: one of ${MODES.join(', ')}`)
  if (service !== undefined && service !== 'sql' && service !== 'redis') {
    throw new UnknownFault('service must be sql or redis')
  }
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) throw new UnknownFault(`unknown member ${JSON.stringify(unknown)}`)
  return {
    mode: known,
    ...(service && { service }),
    ...figure('times', times, 1, 1_000_000),
    ...figure('ms', ms, 0, 600_000),
    ...figure('status', status, 200, 599),
  }
}

function figure<Name extends string>(name: Name, value: unknown, least: number, most: number) {
  if (value === undefined) return {}
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw new UnknownFault(`${name} must be a whole number from ${least} to ${most}`)
  }
  return { [name]: value }
}

const noRequests = () => ({ sql: { requests: 0, executed: 0 }, redis: { requests: 0, executed: 0 } })
