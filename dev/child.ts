import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

export interface Child {
  readonly process: ChildProcess
  /** Resolves with how it ended, such as `exit code 1` or `SIGKILL`. Never rejects. */
  readonly ended: Promise<string>
  /** Asks it to end, and makes it end if it has not done so within five seconds. */
  end(): Promise<void>
}

export interface ChildOptions {
  env?: NodeJS.ProcessEnv
  stdout?: 'ignore' | 'pipe'
  stderr?: 'inherit' | 'pipe'
}

const GRACE_MS = 5000

/**
 * Runs Node with these arguments as a child, in a process group of its own: Ctrl-C in a terminal reaches its parent
 * alone, which ends it when its turn has come, together with whatever it started. If the parent dies, the child
 * hears `disconnect`.
 *
 * @example const child = startChild(['dev/local-services-process.ts'], { stdout: 'ignore' })
 */
export function startChild(
  args: readonly string[],
  { env = process.env, stdout = 'ignore', stderr = 'inherit' }: ChildOptions = {},
): Child {
  const stdio: StdioOptions = ['ignore', stdout, stderr, 'ipc']
  const child = spawn(node(), args, { env, stdio, detached: process.platform !== 'win32', windowsHide: true })
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      signalGroup(child, 'SIGKILL')
      resolve(signal ?? `exit code ${code}`)
    })
    // Also emitted for a message or a signal that comes too late.
    child.on('error', ({ message }) => {
      if (child.pid === undefined) resolve(message)
    })
  })
  return {
    process: child,
    ended,
    async end() {
      child.kill('SIGTERM')
      const force = setTimeout(() => signalGroup(child, 'SIGKILL'), GRACE_MS)
      await ended
      clearTimeout(force)
    },
  }
}

/** Reaches what the child started too, even when the child itself was killed. */
function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, signal)
  } catch {
    // Nothing is left of the group.
  }
}

/** The Node that runs this, or, under Bun, the project's own: it comes with `npm ci`. */
function node(): string {
  if (!('bun' in process.versions)) return process.execPath
  const root = dirname(createRequire(import.meta.url).resolve('node/package.json'))
  return join(root, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
}
