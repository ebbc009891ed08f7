import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import type { AppKind } from './app.ts'

const ROOT = resolve(import.meta.dirname, '../..')

const bundles = new Map<AppKind, Promise<string>>()

/**
 * Bundles the Worker as it would be deployed, and writes it with a configuration for the bare runtime into `folder`.
 * Returns the configuration's path.
 */
export const writeWorkerdConfig = async (
  folder: string,
  app: AppKind,
  env: Readonly<Record<string, string>>,
): Promise<string> => {
  if (!bundles.has(app)) bundles.set(app, bundle(app))
  const file = join(folder, 'config.capnp')
  writeFileSync(join(folder, 'worker.js'), (await bundles.get(app)) as string)
  writeFileSync(file, configuration(env))
  return file
}

const bundle = async (app: AppKind): Promise<string> => {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'workers.ts')],
    write: false,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2024',
    platform: 'browser',
    conditions: ['workerd', 'worker', 'browser'],
    define: { APP_KIND: JSON.stringify(app) },
    logLevel: 'error',
  })
  return outputFiles[0]?.text ?? ''
}

/** The flags are production's: a test with others proves nothing of it. */
const wrangler = readFileSync(join(ROOT, 'wrangler.toml'), 'utf8')
const setting = (pattern: RegExp, absent: string): string => wrangler.match(pattern)?.[1] ?? absent
const date = setting(/^compatibility_date\s*=\s*(".*?")/m, '')
const flags = setting(/^compatibility_flags\s*=\s*(\[[^\]]*\])/m, '[]')

/** The bare runtime's, for a Worker in `worker.js` beside it. */
export const configuration = (env: Readonly<Record<string, string>>) => `
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "app", worker = .app),
    (name = "outside", network = (allow = ["public", "private", "local"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "app")],
);

const app :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.js")],
  compatibilityDate = ${date},
  compatibilityFlags = ${flags},
  globalOutbound = "outside",
  bindings = [
${Object.entries(env)
  .map(([name, value]) => `    (name = ${JSON.stringify(name)}, text = ${JSON.stringify(value)}),`)
  .join('\n')}
  ],
);
`
