import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import type { AppKind } from './app.ts'

const ROOT = resolve(import.meta.dirname, '../..')

/** Where the files of this test process are, until it ends. */
const folder = mkdtempSync(join(tmpdir(), 'parapet-contract-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))

const bundles = new Map<AppKind, Promise<unknown>>()
let configs = 0

/** Bundles the Worker as it would be deployed, and writes a configuration for the bare runtime. */
export const writeWorkerdConfig = async (app: AppKind, env: Readonly<Record<string, string>>) => {
  if (!bundles.has(app)) bundles.set(app, bundle(app))
  await bundles.get(app)
  const file = join(folder, `${++configs}.capnp`)
  writeFileSync(file, configuration(app, env))
  return file
}

const bundle = (app: AppKind) =>
  build({
    entryPoints: [join(import.meta.dirname, 'workers.ts')],
    outfile: join(folder, `${app}.js`),
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2024',
    platform: 'browser',
    conditions: ['workerd', 'worker', 'browser'],
    define: { APP_KIND: JSON.stringify(app) },
    logLevel: 'error',
  })

/** The flags are production's: a test with others proves nothing of it. */
const wrangler = readFileSync(join(ROOT, 'wrangler.toml'), 'utf8')
const setting = (pattern: RegExp, absent: string): string => wrangler.match(pattern)?.[1] ?? absent
const date = setting(/^compatibility_date\s*=\s*(".*?")/m, '')
const flags = setting(/^compatibility_flags\s*=\s*(\[[^\]]*\])/m, '[]')

const configuration = (app: AppKind, env: Readonly<Record<string, string>>) => `
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "app", worker = .app),
    (name = "outside", network = (allow = ["public", "private", "local"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "app")],
);

const app :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "${app}.js")],
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
