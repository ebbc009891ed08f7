import { readdir, writeFile } from 'node:fs/promises'

const MIGRATIONS = new URL('../migrations/', import.meta.url)
const MANIFEST = new URL('../src/data/migration-manifest.ts', import.meta.url)
const LINE_WIDTH = 110

/** The source of `src/data/migration-manifest.ts`, as `migrations/` wants it. */
export const migrationManifest = async (): Promise<string> => {
  // In the order in which they are applied: that of the whole file names.
  const files = (await readdir(MIGRATIONS)).filter((name) => name.endsWith('.sql')).sort()
  return sourceOf(files.map((name) => name.slice(0, -'.sql'.length)))
}

/** Formatted as the formatter would. */
const sourceOf = (ids: readonly string[]): string => {
  const literals = ids.map((id) => `'${id}'`)
  const declaration = 'export const MIGRATIONS: readonly string[] = '
  const oneLine = `${declaration}[${literals.join(', ')}]`
  const list = oneLine.length <= LINE_WIDTH ? oneLine : `${declaration}[\n  ${literals.join(',\n  ')},\n]`
  return `// Written by dev/write-migration-manifest.ts: a Worker has no file system in which to look.

/** The ids of the migrations that this build needs, in order. */
${list}
`
}

if (import.meta.main) await writeFile(MANIFEST, await migrationManifest())
