import type { Refusal } from '../errors.ts'
import type { Gate } from './gate.ts'
import { pathMatcher } from './path-pattern.ts'

export interface CanonicalRequestOptions {
  /** Path patterns that may hold `%2F`, such as `/packages/*`. The other gates see them decoded. */
  encodedSlashes?: readonly string[]
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
const ALLOW = [...METHODS].join(', ')

const HOST = /^(?:\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_.])?)(?::\d{1,5})?$/i
const PRINTABLE = /^[\x21\x22\x24-\x7e]*$/
const NOT_IN_PATH = /["<>^`{}]/
const AMBIGUOUS = /\/\/|\\|\/\.\.?(?:[/;]|$)|%(?:2e|5c|25|0[0-9a-f]|1[0-9a-f]|7f)/i
const ENCODED_SLASH = /%2f/i
/** A second scheme after a comma: two Authorization headers that were joined. */
const REPEATED_AUTHORIZATION = /,\s*[a-z][\w-]*\s+\S/i

/**
 * Refuses what proxies, routers and handlers read differently, so that every later gate and the routes see
 * the same path, and decodes that path once.
 *
 * Bun resolves dot segments and backslashes before any code of ours runs; there the resolved path is judged.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-3
 */
export const canonicalRequest = ({ encodedSlashes = [] }: CanonicalRequestOptions = {}): Gate => {
  const maySlash = pathMatcher(encodedSlashes)

  return function canonicalRequest(visit) {
    if (!METHODS.has(visit.method)) return { code: 'METHOD_NOT_ALLOWED', headers: { Allow: ALLOW } }

    const host = visit.header('host')
    // Only a call that came over no wire, as in a test, may do without.
    if (host === undefined ? visit.peer !== undefined : !isHost(host)) {
      return refuse('The Host header must be host[:port].')
    }
    const url = visit.request.url
    if (host !== undefined && withoutDefaultPort(host) !== withoutDefaultPort(authorityOf(url))) {
      return refuse('The request target names another host than the Host header.')
    }

    const target = visit.target === undefined ? afterAuthority(url) : originForm(visit.target)
    const [path] = target.split('?', 1) as [string]
    if (!path.startsWith('/')) return refuse('The request target must be a path.')
    if (!PRINTABLE.test(target) || NOT_IN_PATH.test(path)) {
      return refuse('The request target holds characters that must be encoded.')
    }
    if (AMBIGUOUS.test(path)) return refuse(AMBIGUITY)

    const decoded = decode(path)
    if (decoded === undefined) return refuse('The path is not valid percent-encoded UTF-8.')
    if (ENCODED_SLASH.test(path) && !maySlash(path)) return refuse('The path must not hold encoded slashes.')
    if (decoded !== path && AMBIGUOUS.test(decoded)) return refuse(AMBIGUITY)
    visit.path = decoded

    const authorization = visit.header('authorization')
    if (
      authorization?.includes(',') &&
      (/^bearer\s/i.test(authorization) || REPEATED_AUTHORIZATION.test(authorization))
    ) {
      return refuse('The Authorization header is repeated.')
    }
    if (visit.header('x-api-key')?.includes(',')) return refuse('The X-API-Key header is repeated.')
    if (visit.header('origin')?.includes(',')) return refuse('The Origin header is repeated.')
    return undefined
  }
}

const refuse = (detail: string): Refusal => ({ code: 'BAD_REQUEST_TARGET', detail })

const AMBIGUITY = 'The path must not hold dot segments, backslashes, empty segments or encodings of them.'

const authorityOf = (url: string): string => {
  const start = url.indexOf('//') + 2
  const length = url.slice(start).search(/[/?#*]/)
  return length === -1 ? url.slice(start) : url.slice(start, start + length)
}

const afterAuthority = (url: string): string => url.slice(url.indexOf('//') + 2 + authorityOf(url).length)

const isHost = (host: string): boolean => HOST.test(host) && Number(/:(\d+)$/.exec(host)?.[1] ?? 0) <= 65535

const withoutDefaultPort = (authority: string): string => authority.toLowerCase().replace(/:(?:80|443)$/, '')

/** `http://host/path` as a proxy's client sends it becomes `/path`; the host is compared elsewhere. */
const originForm = (target: string): string => {
  const absolute = /^https?:\/\/[^/?#]*/i.exec(target)
  if (!absolute) return target
  const rest = target.slice(absolute[0].length)
  return rest.startsWith('/') ? rest : `/${rest}`
}

const decode = (path: string): string | undefined => {
  if (!path.includes('%')) return path
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}
