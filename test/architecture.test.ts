import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { build } from 'esbuild'
import { describe, expect, test } from 'vitest'

/** Floors: an import may stay on its floor or go down. The longest matching path counts. */
const FLOORS: Record<string, number> = {
  adapters: 6,
  bench: 6,
  bridge: 6,
  cli: 6,
  dev: 6,
  server: 7,
  'src/parapet.ts': 5,
  'src/app.ts': 5,
  'src/services.ts': 5,
  'src/wire-limits.ts': 5,
  'src/wire-switches.ts': 5,
  'src/surface': 4,
  'src/reference': 4,
  'src/routes': 4,
  'src/answer': 4,
  'src/gates': 3,
  'src/switches': 2,
  'src/telemetry': 2,
  'src/limits': 3,
  'src/gcra.ts': 3,
  'src/health': 2,
  'src/identity': 2,
  'src/data': 2,
  'src/store': 2,
  'src/config': 1,
  'src/errors.ts': 1,
  'src/log.ts': 1,
  'src/redact.ts': 1,
  'src/deadline.ts': 1,
}

/** Packages that only these places may name. */
const ONLY_IN: Record<string, RegExp> = {
  'drizzle-orm': /^src\/(?:data|reference)\//,
  '@neondatabase/serverless': /^src\/data\//,
  '@upstash/redis': /^src\/store\//,
  '@hono/node-server': /^adapters\/node\.ts$/,
  pg: /^bridge\//,
  redis: /^bridge\//,
  '@electric-sql/pglite': /^dev\//,
  'js-redis-server': /^dev\//,
}

const root = resolve(import.meta.dirname, '..')
const FOLDERS = ['src', 'adapters', 'bridge', 'cli', 'dev', 'bench', 'server']

const files = FOLDERS.flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name)),
)
const importsOf = (file: string): string[] => {
  const source = readFileSync(join(root, file), 'utf8')
  return [...source.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, name]) => name as string)
}
const graph = new Map(
  files.map((file) => [
    file,
    importsOf(file).map((name) =>
      name.startsWith('.') ? relative(root, resolve(root, dirname(file), name)) : name,
    ),
  ]),
)
const floorOf = (file: string): number => {
  const place = Object.keys(FLOORS)
    .filter((prefix) => file === prefix || file.startsWith(`${prefix}/`))
    .sort((a, b) => b.length - a.length)[0]
  if (place === undefined) throw new Error(`${file} stands on no floor: give it one`)
  return FLOORS[place] as number
}

describe('the house', () => {
  test('the files of every folder were found', () => {
    expect(files.length).toBeGreaterThan(60)
  })

  test('imports only point down', () => {
    const upward = [...graph].flatMap(([file, imports]) =>
      imports
        .filter((name) => graph.has(name) && floorOf(name) > floorOf(file))
        .map((name) => `${file} → ${name}`),
    )
    expect(upward).toEqual([])
  })

  test('every relative import exists', () => {
    const missing = [...graph].flatMap(([file, imports]) =>
      imports
        .filter(
          (name) =>
            FOLDERS.includes(name.split('/')[0] as string) && name.endsWith('.ts') && !graph.has(name),
        )
        .map((name) => `${file} → ${name}`),
    )
    expect(missing).toEqual([])
  })

  test('no file imports itself by way of others', () => {
    const cycles: string[] = []
    const done = new Set<string>()
    const walk = (file: string, path: string[]): void => {
      if (path.includes(file)) return void cycles.push([...path.slice(path.indexOf(file)), file].join(' → '))
      if (done.has(file)) return
      for (const name of graph.get(file) ?? []) if (graph.has(name)) walk(name, [...path, file])
      done.add(file)
    }
    for (const file of files) walk(file, [])
    expect(cycles).toEqual([])
  })

  test.each(Object.entries(ONLY_IN))('only its own place names %s', (name, place) => {
    const elsewhere = [...graph]
      .filter(([, imports]) => imports.some((used) => used === name || used.startsWith(`${name}/`)))
      .map(([file]) => file)
      .filter((file) => !place.test(file))
    expect(elsewhere).toEqual([])
  })

  test('src names no runtime', () => {
    const named = files
      .filter((file) => file.startsWith('src/'))
      .filter((file) =>
        (graph.get(file) ?? []).some((name) =>
          /^(?:node:|bun(?::|$)|cloudflare:|hono\/(?:bun|cloudflare-workers))/.test(name),
        ),
      )
    expect(named).toEqual([])
  })

  test('zod is imported whole, by name: only so does a bundler leave out what is not used', () => {
    const named = files.filter((file) =>
      /import (?:type )?\{[^}]*\} from 'zod'/.test(readFileSync(join(root, file), 'utf8')),
    )
    expect(named).toEqual([])
  })

  test('a file is named in kebab-case, and no folder is a bucket', () => {
    expect(files.filter((file) => !/^(?:[a-z0-9-]+\/)+[a-z0-9]+(?:-[a-z0-9]+)*\.ts$/.test(file))).toEqual([])
    expect(
      files.filter((file) => /\/(?:utils?|helpers?|common|core|lib|index\.ts)(?:\/|$)/.test(file)),
    ).toEqual([])
  })
})

describe('the Worker', () => {
  test('bundles neither node: modules nor anything of development, the bridge or the command line', async () => {
    const { metafile } = await build({
      entryPoints: [join(root, 'server/workers.ts')],
      absWorkingDir: root,
      bundle: true,
      write: false,
      metafile: true,
      format: 'esm',
      platform: 'browser',
      conditions: ['workerd', 'worker', 'browser'],
      external: ['node:*'],
    })
    const inputs = Object.keys(metafile.inputs)
    const outside = Object.values(metafile.inputs).flatMap(({ imports }) =>
      imports.filter(({ external }) => external),
    )
    expect(inputs).toContain('src/app.ts')
    expect(outside.map(({ path }) => path)).toEqual([])
    expect(
      inputs.filter((name) =>
        /pglite|js-redis-server|node-server|^(?:dev|bridge|cli)\/|node_modules\/(?:pg|redis|@redis)\//.test(
          name,
        ),
      ),
    ).toEqual([])
  })
})
