import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { onTestFinished } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')

export type Runtime = 'node' | 'bun'

/** Runs a file of the project as `npm run` would, and collects what it says. */
export function command(file: string, env: Record<string, string>, runtime: Runtime = 'node') {
  const program =
    runtime === 'node'
      ? process.execPath
      : resolve(createRequire(import.meta.url).resolve('bun/package.json'), '../bin/bun.exe')
  const child = spawn(program, [resolve(ROOT, file)], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const said = { out: '', err: '' }
  child.stdout.on('data', (data) => {
    said.out += data
  })
  child.stderr.on('data', (data) => {
    said.err += data
  })
  const ended = new Promise<number | NodeJS.Signals | null>((done) => {
    child.once('close', (code, signal) => done(signal ?? code))
  })
  /** Waits until it has said this; throws if it ends before. */
  async function says(text: string): Promise<void> {
    let over = false
    void ended.then(() => {
      over = true
    })
    while (!said.out.includes(text)) {
      if (over) throw new Error(`it ended without saying ${JSON.stringify(text)}: ${said.out}${said.err}`)
      await new Promise((done) => setTimeout(done, 20))
    }
  }
  return { pid: child.pid ?? 0, said, says, ended, kill: (signal: NodeJS.Signals) => child.kill(signal) }
}
