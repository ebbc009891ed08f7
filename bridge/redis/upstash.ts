import type { Handler } from '../handler.ts'
import { createLuaScripts, dropKeyLocking, type PreparedCommand } from './lua-scripts.ts'
import {
  discarded,
  type RedisEngine,
  type RedisReply,
  type RedisStream,
  RedisUnavailable,
} from './redis-engine.ts'
import { isRead, mayWrite, noPermission, refusal } from './upstash-commands.ts'
import { upstashEvents } from './upstash-events.ts'
import { jsonItem, resp2, type StringEncoding } from './upstash-replies.ts'
import {
  type Asked,
  BadRequest,
  parseCommand,
  parseCommands,
  parsePath,
  readBody,
} from './upstash-request.ts'

export interface UpstashOptions {
  readonly engine: RedisEngine
  /** Bearer token with full access to the data. */
  readonly token: string
  /** Bearer token that may only read. */
  readonly readOnlyToken?: string
  /** Largest request body, in bytes. */
  readonly maxRequestBytes?: number
  /** How many event streams (each holds a connection to Redis) may be open at once. */
  readonly maxStreams?: number
}

type Role = 'full' | 'read'
type Admitted = { readonly error: string } | (PreparedCommand & { readonly writes: boolean })
type Format = { readonly encoding: StringEncoding; readonly resp2: boolean }

const METHODS = ['HEAD', 'GET', 'POST', 'PUT']

/**
 * Speaks Upstash's Redis REST API over any {@link RedisEngine}, so that `@upstash/redis` and `@upstash/ratelimit` work
 * unchanged: `POST /`, `/pipeline`, `/multi-exec`, `/COMMAND/arg…`, and `/subscribe`, `/psubscribe`, `/monitor` as
 * event streams. A Redis that is away is 503, one that does not answer 504; neither names a host.
 *
 * @example
 * const handler = createUpstashHandler({ engine: createTcpRedisEngine({ url }), token })
 * const response = await handler(new Request('http://redis/get/key', { headers: { authorization: `Bearer ${token}` } }))
 * @see https://upstash.com/docs/redis/features/restapi
 */
export function createUpstashHandler({
  engine,
  token,
  readOnlyToken,
  maxRequestBytes = 10 * 1024 * 1024,
  maxStreams = 100,
}: UpstashOptions): Handler {
  if (token === '' || readOnlyToken === '') throw new Error('an Upstash token must not be empty')
  const scripts = createLuaScripts(dropKeyLocking)
  // A new process must not repeat an old one's tokens.
  const epoch = crypto.randomUUID().slice(0, 8)
  let writes = 0
  let streams = 0

  function roleOf(request: Request, url: URL): Role | undefined {
    const given = tokenOf(request, url) ?? ''
    const full = sameText(given, token)
    const read = readOnlyToken !== undefined && sameText(given, readOnlyToken)
    return full ? 'full' : read ? 'read' : undefined
  }

  /** What the engine should run for this caller, or why it may not. */
  async function admit(asked: Asked, role: Role): Promise<Admitted> {
    if ('error' in asked) return asked
    const { command } = asked
    const error =
      refusal(command) ?? (role === 'read' && !isRead(command) ? noPermission(command) : undefined)
    if (error !== undefined) return { error }
    return { ...(await scripts.prepare(command)), writes: mayWrite(command) }
  }

  async function run(asked: readonly Asked[], role: Role): Promise<RedisReply[]> {
    const admitted: Admitted[] = []
    for (const one of asked) admitted.push(await admit(one, role))
    // Issued in one turn: that is what keeps the order.
    return Promise.all(
      admitted.map(async (one): Promise<RedisReply> => {
        if ('error' in one) return { type: 'error', message: one.error }
        if (one.writes) writes++
        const reply = await engine.command(one.command)
        return one.finish ? one.finish(reply) : reply
      }),
    )
  }

  async function runTransaction(asked: readonly Asked[], role: Role): Promise<RedisReply> {
    const prepared: Exclude<Admitted, { error: string }>[] = []
    for (const one of asked) {
      const next = await admit(one, role)
      if ('error' in next)
        return next.error.startsWith('NOPERM')
          ? { type: 'error', message: next.error }
          : discarded(next.error)
      prepared.push(next)
    }
    if (prepared.some((one) => one.writes)) writes++
    const reply = await engine.transaction(prepared.map((one) => one.command))
    if (reply.type !== 'array') return reply
    const items = reply.items.map((item, at) => prepared[at]?.finish?.(item) ?? item)
    return { type: 'array', items }
  }

  const answer = (status: number, body: unknown) =>
    new Response(JSON.stringify(body), {
      status,
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'upstash-sync-token': `${epoch}.${writes}`,
      },
    })

  const answerResp2 = (status: number, replies: readonly RedisReply[]) =>
    new Response(resp2(replies), {
      status,
      headers: { 'content-type': 'application/octet-stream', 'upstash-sync-token': `${epoch}.${writes}` },
    })

  async function answerOne(asked: Asked, role: Role, format: Format): Promise<Response> {
    const replies = await run([asked], role)
    const [reply] = replies
    if (!reply) throw new Error('a command has one reply')
    const status = reply.type === 'error' ? 400 : 200
    return format.resp2 ? answerResp2(status, replies) : answer(status, jsonItem(reply, format.encoding))
  }

  async function answerEvents(stream: RedisStream, role: Role, request: Request): Promise<Response> {
    if (role !== 'full') return answer(400, { error: noPermission([stream.command]) })
    if (streams >= maxStreams) {
      return answer(503, { error: `ERR max concurrent event streams exceeded. Limit: ${maxStreams}` })
    }
    streams++
    return upstashEvents(engine, stream, request.signal, () => streams--)
  }

  async function route(request: Request, url: URL, role: Role): Promise<Response> {
    const format = formatOf(request)
    const stream = streamOf(request, url)
    if (stream) return answerEvents(stream, role, request)
    const body = await readBody(request, maxRequestBytes)
    switch (url.pathname) {
      case '/':
        return answerOne(parseCommand(body), role, format)
      case '/pipeline': {
        if (request.method !== 'POST') return notAllowed('POST')
        const replies = await run(parseCommands(body, 'pipeline'), role)
        if (format.resp2) return answerResp2(200, replies)
        return answer(
          200,
          replies.map((reply) => jsonItem(reply, format.encoding)),
        )
      }
      case '/multi-exec': {
        if (request.method !== 'POST') return notAllowed('POST')
        if (format.resp2) throw new BadRequest('ERR /multi-exec only answers JSON')
        const reply = await runTransaction(parseCommands(body, 'transaction'), role)
        if (reply.type !== 'array') return answer(400, jsonItem(reply, format.encoding))
        return answer(
          200,
          reply.items.map((item) => jsonItem(item, format.encoding)),
        )
      }
      default:
        return answerOne(parsePath(url, body), role, format)
    }
  }

  return async (request) => {
    if (!METHODS.includes(request.method)) return notAllowed(METHODS.join(', '))
    const url = new URL(request.url)
    const role = roleOf(request, url)
    if (!role) return unauthorized(tokenOf(request, url))
    try {
      const response = await route(request, url, role)
      return request.method === 'HEAD' ? new Response(null, response) : response
    } catch (error) {
      if (error instanceof BadRequest) return answer(error.status, { error: error.message })
      if (!(error instanceof RedisUnavailable)) throw error
      return answer(error.code === 'timeout' ? 504 : 503, { error: `ERR ${error.message}` })
    }
  }
}

/** Upstash-Encoding and Upstash-Response-Format, which exclude each other. */
function formatOf(request: Request): Format {
  const base64 = request.headers.get('upstash-encoding') === 'base64'
  const format = request.headers.get('upstash-response-format') ?? 'json'
  if (format !== 'json' && format !== 'resp2')
    throw new BadRequest('ERR Upstash-Response-Format must be json or resp2')
  if (base64 && format === 'resp2')
    throw new BadRequest('ERR Upstash-Encoding: base64 does not go with resp2')
  return { encoding: base64 ? 'base64' : 'text', resp2: format === 'resp2' }
}

function streamOf(request: Request, url: URL): RedisStream | undefined {
  if (!request.headers.get('accept')?.includes('text/event-stream')) return undefined
  const asked = parsePath(url, new Uint8Array())
  if ('error' in asked) return undefined
  const [command, ...targets] = asked.command.map((word) =>
    typeof word === 'string' ? word : new TextDecoder().decode(word),
  )
  const name = command?.toLowerCase()
  if (name === 'monitor') return { command: 'monitor' }
  if (name !== 'subscribe' && name !== 'psubscribe') return undefined
  if (targets.length === 0) throw new BadRequest(`ERR wrong number of arguments for '${name}' command`)
  return { command: name, targets }
}

function tokenOf(request: Request, url: URL): string | undefined {
  const bearer = /^bearer +(.+)$/i.exec(request.headers.get('authorization') ?? '')
  return bearer?.[1] ?? url.searchParams.get('_token') ?? undefined
}

/** Compares without telling by its time where the first difference is; only the length shows. */
function sameText(given: string, expected: string): boolean {
  let difference = given.length ^ expected.length
  for (let at = 0; at < given.length; at++) {
    difference |= given.charCodeAt(at) ^ expected.charCodeAt(at % expected.length)
  }
  return difference === 0
}

const unauthorized = (token: string | undefined) =>
  Response.json(
    { error: token === undefined ? 'Unauthorized' : 'WRONGPASS invalid or missing auth token' },
    { status: 401, headers: { 'www-authenticate': 'Bearer' } },
  )

const notAllowed = (allow: string) =>
  Response.json({ error: 'ERR method not allowed' }, { status: 405, headers: { allow } })
