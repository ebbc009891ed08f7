import { proxy } from 'hono/proxy'
import { rebuild } from '../answer/answer-stream.ts'
import { AppError } from '../errors.ts'
import { bearerOf } from '../gates/authenticate.ts'
import { BYPASS_COOKIE } from '../gates/bypass-cookie.ts'
import type { Trust } from '../gates/client-address.ts'
import type { Visit } from '../gates/gate.ts'
import { traceparent } from '../gates/trace-context.ts'
import { type FailureCode, transportFailure } from '../health/failure.ts'
import type { Principal } from '../identity/principal.ts'

export interface OriginOptions {
  /** Where the API is that Parapet stands in front of. A path in it is put before every path. */
  url: string
  /** Milliseconds until the origin must have begun its answer. */
  timeoutMs: number
  trust: Trust
  /** Whether a token is the operator's. */
  identify: (credentials: string) => Principal | undefined
  /** Whether the runtime passes a fetched answer on by itself, streams and WebSockets included (Workers). */
  passes: boolean
  onFailure: (thrown: unknown, visit: Visit) => void
  /** Told of every request that the origin was to answer: nothing where it did, else why not. */
  onOutcome?: (failure: FailureCode | undefined) => void
}

/**
 * What a caller must not be able to tell the origin: addresses that only we may state, another path or method
 * than the one that the gates have judged, and headers that end at this connection.
 */
const NOT_FORWARDED = [
  'host',
  'expect',
  'content-length',
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
  'x-forwarded-server',
  'x-forwarded-prefix',
  'x-forwarded-path',
  'x-forwarded-uri',
  'x-forwarded-method',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
  'x-original-url',
  'x-original-uri',
  'x-rewrite-url',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
]

/**
 * Hands a visit on to the origin, streaming both ways, and its answer back.
 *
 * @throws {@link AppError} `ORIGIN_UNREACHABLE`, `ORIGIN_TIMEOUT`, `UPGRADE_NOT_SUPPORTED`
 */
export const createOrigin = (options: OriginOptions) => {
  const { url, timeoutMs, passes, onFailure, onOutcome } = options
  const base = url.replace(/\/+$/, '')

  return async function origin(visit: Visit & { arrival?: { hangUp?(): void } }): Promise<Response> {
    const { request } = visit
    const isWebSocket = /^websocket$/i.test(visit.header('upgrade') ?? '')
    if (isWebSocket && !passes) throw new AppError('UPGRADE_NOT_SUPPORTED')

    const query = request.url.indexOf('?')
    const target = base + visit.rawPath + (query === -1 ? '' : request.url.slice(query))
    const headers = forwardedHeaders(visit, options, isWebSocket)
    const abort = new AbortController()
    const timer = setTimeout(() => abort.abort(), timeoutMs)
    const leave = () => abort.abort()
    request.signal.addEventListener('abort', leave, { once: true })
    try {
      // The answer to an upgrade carries a socket and must be handed back as it is.
      if (isWebSocket) return await fetch(target, { headers, signal: abort.signal })
      const response = await proxy(target, {
        method: request.method,
        headers,
        body: request.body,
        ...(request.body && { duplex: 'half' }),
        redirect: 'manual',
        signal: abort.signal,
      } as RequestInit)
      clearTimeout(timer)
      // What one of its paths answers says little of the others: that it answers is what counts.
      if (!UNWELL.has(response.status)) onOutcome?.(undefined)
      if (passes || !response.body) return response
      return await rebuild(response, response.body, {
        hangUp: visit.arrival?.hangUp && (() => visit.arrival?.hangUp?.()),
        onFailure: (thrown) => onFailure(thrown, visit),
      })
    } catch (thrown) {
      if (visit.bodyFault) throw thrown
      const late = abort.signal.aborted && !request.signal.aborted
      if (!request.signal.aborted) onOutcome?.(late ? 'timeout' : transportFailure(thrown))
      throw new AppError(late ? 'ORIGIN_TIMEOUT' : 'ORIGIN_UNREACHABLE', { cause: thrown })
    } finally {
      clearTimeout(timer)
    }
  }
}

/** What a gateway in front of the origin says in its place. */
const UNWELL: ReadonlySet<number> = new Set([502, 503, 504])

/** Headers that end at one connection (RFC 9110, 7.6.1), beside those that `Connection` names. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'http2-settings',
]

const forwardedHeaders = (
  visit: Visit,
  { trust, identify }: OriginOptions,
  isWebSocket: boolean,
): Headers => {
  const headers = new Headers(visit.request.headers)
  const named = (headers.get('connection') ?? '').split(',').map((name) => name.trim().toLowerCase())
  const dropped = [
    ...HOP_BY_HOP,
    ...NOT_FORWARDED,
    ...named.filter((name) => /^[\w-]+$/.test(name)),
    'upgrade',
  ]
  for (const name of dropped) headers.delete(name)
  if (isWebSocket) headers.set('Upgrade', 'websocket')
  // What opens this house does not open the one behind it.
  if (identify(bearerOf(visit) ?? '')) headers.delete('authorization')
  if (identify(visit.header('x-api-key') ?? '')) headers.delete('x-api-key')
  dropCookie(headers, BYPASS_COOKIE)

  const { protocol, host } = new URL(visit.request.url)
  const claimed = trust.proxied(visit) ? visit.header('x-forwarded-proto') : undefined
  const address = trust.address(visit)
  if (address) headers.set('X-Forwarded-For', address)
  headers.set(
    'X-Forwarded-Proto',
    claimed === 'https' || claimed === 'http' ? claimed : protocol.slice(0, -1),
  )
  headers.set('X-Forwarded-Host', host)
  headers.set('X-Correlation-Id', visit.correlationId)
  headers.set('traceparent', traceparent(visit.trace))
  return headers
}

const dropCookie = (headers: Headers, name: string): void => {
  const cookies = headers.get('cookie')
  if (!cookies?.includes(name)) return
  const others = cookies.split(';').filter((cookie) => cookie.split('=', 1)[0]?.trim() !== name)
  if (others.length > 0) headers.set('cookie', others.join(';').trim())
  else headers.delete('cookie')
}
