import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Hits } from './app.ts'
import { CANARY } from './canary.ts'
import { type RawAnswer, type RawRequest, sendRaw } from './raw-http.ts'
import { type Launch, type Launched, launch, type Runtime } from './runtimes.ts'

/** One answer, whichever client fetched it. */
export interface Answer {
  status: number
  header(name: string): string | undefined
  body: string
}

/** A running server that cases ask. */
export interface Server {
  readonly runtime: Runtime
  readonly port: number
  readonly process: Launched
  /** By `fetch`, which follows no redirect here. */
  ask(path: string, init?: RequestInit): Promise<Answer>
  /** By hand, exactly as written. */
  raw(request: RawRequest): Promise<RawAnswer>
  hits(): Promise<Hits>
  /** Runs `work` and counts the handlers that ran meanwhile. */
  handlersDuring(work: () => Promise<unknown>): Promise<number>
  /** Ends it and resolves with its exit code. */
  stop(): Promise<number | string>
}

export const OPERATOR_TOKEN = 'op_9fK2mQ7xW4vB8nT1sL6yR3uJ5hG0pD'
export const bearer = (token = OPERATOR_TOKEN) => ({ authorization: `Bearer ${token}` })

export const startServer = async (runtime: Runtime, options: Launch): Promise<Server> => {
  const process = await launch(runtime, options)
  return serverOf(runtime, process, await process.listening)
}

export const serverOf = (runtime: Runtime, process: Launched, port: number): Server => {
  const ask: Server['ask'] = async (path, init) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual', ...init })
    return {
      status: response.status,
      header: (name) => response.headers.get(name) ?? undefined,
      body: await response.text(),
    }
  }
  const hits = async (): Promise<Hits> => JSON.parse((await ask('/test/hits')).body)
  return {
    runtime,
    port,
    process,
    ask,
    hits,
    raw: (request) => sendRaw(port, request),
    async handlersDuring(work) {
      const before = await hits()
      await work()
      return (await hits()).handlers - before.handlers
    },
    async stop() {
      process.signal('SIGTERM')
      const late = setTimeout(() => process.signal('SIGKILL'), 8000)
      return process.exited.finally(() => clearTimeout(late))
    },
  }
}

/**
 * Registers cases against one server of its own, which runs while they do. Afterwards it must have stayed alive,
 * end properly, and have written the canary nowhere.
 */
export const describeServer = (
  name: string,
  runtime: Runtime,
  options: Launch | (() => Launch | Promise<Launch>),
  cases: (server: () => Server) => void,
  { silent = [CANARY, OPERATOR_TOKEN] }: { silent?: readonly string[] } = {},
): void => {
  describe(name, () => {
    let running: Server | undefined
    const server = (): Server => {
      if (!running) throw new Error('the server is not running')
      return running
    }
    beforeAll(async () => {
      running = await startServer(runtime, typeof options === 'function' ? await options() : options)
    })
    afterAll(async () => void (await running?.stop()))

    cases(server)

    it('ends properly and has told its output no secret', async () => {
      expect(await server().stop()).toBe(0)
      const output = server().process.output().toLowerCase().split('\n')
      expect(output.filter((line) => silent.some((secret) => line.includes(secret.toLowerCase())))).toEqual(
        [],
      )
    })
  })
}

/** Asks again until it is so. An event that the outside cannot see is awaited like this, never by a pause. */
export const eventually = async <T>(
  probe: () => Promise<T> | T,
  isSo: (value: T) => boolean,
  milliseconds = 10_000,
): Promise<T> => {
  const deadline = Date.now() + milliseconds
  for (;;) {
    const value = await probe()
    if (isSo(value)) return value
    if (Date.now() > deadline) throw new Error(`it did not become so: ${JSON.stringify(value)}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

export const lines = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
