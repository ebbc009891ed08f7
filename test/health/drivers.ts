import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { build } from 'esbuild'
import { configuration } from '../contract/workerd-config.ts'
import { type Driven, drive, type Ended } from './driven-checks.ts'

/** Runs checks in a runtime. */
export interface Driver {
  drive(name: Driven, url: string): Promise<Ended>
  close(): Promise<void>
}

const ROOT = resolve(import.meta.dirname, '../..')
const bin = (name: string) => join(ROOT, 'node_modules/.bin', name)

export const startDriver = {
  node: async (): Promise<Driver> => ({ drive, close: async () => {} }),

  async bun(): Promise<Driver> {
    const child = spawn(bin('bun'), [join(import.meta.dirname, 'drive-bun.ts')], {
      cwd: ROOT,
      // It writes of every body that it cannot unpack.
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return remote(child, child.stdout, /listening on (\d+)/)
  },

  async workerd(): Promise<Driver> {
    const folder = mkdtempSync(join(tmpdir(), 'parapet-checks-'))
    await build({
      entryPoints: [join(import.meta.dirname, 'drive-workerd.ts')],
      outfile: join(folder, 'worker.js'),
      bundle: true,
      format: 'esm',
      target: 'es2024',
      platform: 'browser',
      conditions: ['workerd', 'worker', 'browser'],
      logLevel: 'error',
    })
    const file = join(folder, 'config.capnp')
    writeFileSync(file, configuration({}))
    const child = spawn(bin('workerd'), ['serve', '--control-fd=3', file], {
      // It writes of every name that it cannot resolve.
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    })
    const clean = () => rmSync(folder, { recursive: true, force: true })
    return remote(child, child.stdio[3] as Readable, /"event":"listen".*?"port":(\d+)/, clean)
  },
}

/** A process that drives checks for whoever asks it over HTTP, on the port that it names. */
const remote = async (
  child: ChildProcess,
  output: Readable | null,
  pattern: RegExp,
  clean = () => {},
): Promise<Driver> => {
  const ended = once(child, 'close').then(clean)
  let written = ''
  const port = await new Promise<string>((heard, failed) => {
    output?.setEncoding('utf8').on('data', (text: string) => {
      written += text
      const port = written.match(pattern)?.[1]
      if (port) heard(port)
    })
    ended.then(() => failed(new Error('the driver ended before it listened')))
  })
  return {
    async drive(name, url) {
      const target = `http://127.0.0.1:${port}/${encodeURIComponent(name)}?${encodeURIComponent(url)}`
      return (await fetch(target)).json() as Promise<Ended>
    },
    async close() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
