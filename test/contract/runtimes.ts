import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import type { AppKind } from './app.ts'
import { writeWorkerdConfig } from './workerd-config.ts'

export type Runtime = 'node' | 'bun' | 'workerd'
export type Variables = Readonly<Record<string, string>>

export interface Launch {
  app?: AppKind
  /** Another file to run than the runtime's own main. */
  main?: 'held-back'
  /** All there is: nothing of the tests' own environment is handed on. */
  env: Variables
}

/** A server in a process of its own. */
export interface Launched {
  readonly pid: number
  /** Everything it has written, to either output. */
  output(): string
  /** Resolves with the port once it says that it listens. */
  readonly listening: Promise<number>
  /** Resolves with the exit code, or the signal that ended it. */
  readonly exited: Promise<number | string>
  signal(name: NodeJS.Signals): void
}

const ROOT = resolve(import.meta.dirname, '../..')
const bin = (name: string) => join(ROOT, 'node_modules/.bin', name)
/** Node strips types and compiles once for all servers, not once for each. */
const COMPILED = join(ROOT, 'node_modules/.cache/parapet-contract')
const LISTENING = /\blistening\b.*?"?\bport"?[=:](\d+)/

/** Hundreds of cases are one caller. Those of limits set their own. */
const UNLIMITED: Variables = { RATE_LIMIT_MAX_REQUESTS: '1000000' }

const running = new Map<ChildProcess, Promise<unknown>>()

/** Ends what is still running, such as the server of a test that failed. */
export const endAll = async (): Promise<void> => {
  for (const child of running.keys()) child.kill('SIGKILL')
  await Promise.all(running.values())
}

/** Starts the app on a runtime and does not wait for it. Whoever calls it calls {@link endAll} at last. */
export const launch = async (
  runtime: Runtime,
  { app = 'team', main, env: own }: Launch,
): Promise<Launched> => {
  const env = { ...UNLIMITED, ...own }
  const folder = runtime === 'workerd' ? mkdtempSync(join(tmpdir(), 'parapet-contract-')) : undefined
  const child = folder
    ? // Raw workerd on purpose: Miniflare's own entry worker normalises addresses before ours sees them.
      start(bin('workerd'), ['serve', '--control-fd=3', await writeWorkerdConfig(folder, app, env)], {})
    : start(
        runtime === 'bun' ? bin('bun') : process.execPath,
        [join(import.meta.dirname, `${main ?? runtime}.ts`), app],
        { PORT: '0', ...(runtime === 'node' && { NODE_COMPILE_CACHE: COMPILED }), ...env },
      )

  let written = ''
  const heard = Promise.withResolvers<number>()
  const listen = (stream: Readable | null | undefined, pattern?: RegExp) =>
    stream?.setEncoding('utf8').on('data', (text: string) => {
      written += text
      const port = pattern && (pattern === LISTENING ? written : text).match(pattern)?.[1]
      if (port) heard.resolve(Number(port))
    })
  listen(child.stdout, LISTENING)
  listen(child.stderr)
  listen(child.stdio[3] as Readable | null, /"event":"listen".*?"port":(\d+)/)

  const exited = once(child, 'close').then(([code, signal]) => {
    running.delete(child)
    if (folder) rmSync(folder, { recursive: true, force: true })
    heard.reject(new Error(`${runtime} ended with ${code ?? signal} before it listened:\n${written}`))
    return (code ?? signal) as number | string
  })
  running.set(child, exited)
  // Nobody has to wait for the port of a server that is meant to end.
  heard.promise.catch(() => {})
  return {
    pid: child.pid as number,
    output: () => written,
    listening: heard.promise,
    exited,
    signal: (name) => void child.kill(name),
  }
}

const start = (file: string, args: string[], env: Variables): ChildProcess =>
  spawn(file, args, {
    cwd: ROOT,
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
