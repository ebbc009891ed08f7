import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { startChild } from './child.ts'
import { wranglerNoise } from './wrangler-noise.ts'

export interface WranglerOptions {
  port: number
  /** The worker's variables; see `varsFile`. Not on the command line, which every user of the machine can read. */
  vars: string
  /** Where wrangler keeps its own logs. */
  directory: string
  /** Told how it ended, when nobody asked it to. */
  onEnd: (how: string) => void
  /** Told when a build fails, after wrangler has said why. From a first one it does not recover. */
  onBuildFailure: () => void
}

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Starts `wrangler dev` on 127.0.0.1, without questions, telemetry or a look at the network. */
export function startWrangler({ port, vars, directory, onEnd, onBuildFailure }: WranglerOptions) {
  const devVars = join(ROOT, '.dev.vars')
  const args = [
    ...['--no-warnings', '--import', new URL('end-with-parent.ts', import.meta.url).href],
    ...[createRequire(import.meta.url).resolve('wrangler'), 'dev', '--cwd', ROOT],
    ...['--ip', '127.0.0.1', '--port', String(port), '--show-interactive-dev-session=false'],
    // The later file wins.
    ...(existsSync(devVars) ? ['--env-file', devVars] : []),
    ...['--env-file', vars],
  ]
  const child = startChild(args, { env: environment(directory), stdout: 'pipe', stderr: 'pipe' })
  const { stdout, stderr } = child.process
  if (stdout) forward(stdout, process.stdout)
  if (stderr) forward(stderr, process.stderr, onBuildFailure)
  let closing: Promise<void> | undefined
  void child.ended.then(async (how) => {
    if (child.process.connected) await once(child.process, 'disconnect')
    if (!closing) onEnd(how)
  })
  return {
    close: (): Promise<void> => {
      closing ??= child.end()
      return closing
    },
  }
}

function environment(directory: string): NodeJS.ProcessEnv {
  const quiet = /^(?:https?_proxy|all_proxy|CLOUDFLARE_ENV|CLOUDFLARE_INCLUDE_PROCESS_ENV)$/i
  return {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !quiet.test(name))),
    NODE_ENV: 'development',
    WRANGLER_SEND_METRICS: 'false',
    // No banner, no look for updates.
    WRANGLER_HIDE_BANNER: 'true',
    CLOUDFLARE_CF_FETCH_ENABLED: 'false',
    X_LOCAL_EXPLORER: 'false',
    X_LOCAL_OBSERVABILITY: 'false',
    // Nothing is written to the home directory.
    XDG_CONFIG_HOME: directory,
    WRANGLER_LOG_PATH: join(directory, 'logs'),
    WRANGLER_REGISTRY_PATH: join(directory, 'registry'),
  }
}

function forward(from: Readable, to: Writable, onBuildFailure = () => {}): void {
  const wanted = wranglerNoise()
  createInterface({ input: from }).on('line', (line) => {
    if (wanted(line)) to.write(`${line}\n`)
    if (line.includes('Build failed with')) setTimeout(onBuildFailure, 200)
  })
}
