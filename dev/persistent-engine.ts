import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { LocalServicesError } from './local-services-error.ts'
import { createPgliteEngine, type PgliteEngine } from './pglite-engine.ts'
import { shownPath } from './shown-path.ts'

/**
 * Opens the database in `<directory>/pg`. A new one is made beside it and moved there when it is whole: PGlite takes
 * half a database for none at all and writes a new one over it.
 *
 * @throws LocalServicesError when what is there cannot be opened.
 */
export async function openPersistentEngine(directory: string): Promise<PgliteEngine> {
  const dataDir = join(directory, 'pg')
  if (!existsSync(dataDir) || readdirSync(dataDir).length === 0) {
    const unfinished = join(directory, 'pg.new')
    rmSync(unfinished, { recursive: true, force: true })
    const engine = await createPgliteEngine({ dataDir: unfinished })
    await engine.close()
    rmSync(dataDir, { recursive: true, force: true })
    renameSync(unfinished, dataDir)
  }
  try {
    if (!existsSync(join(dataDir, 'PG_VERSION'))) throw new Error('PG_VERSION is missing')
    return await createPgliteEngine({ dataDir })
  } catch (cause) {
    throw new LocalServicesError(
      `the database in ${shownPath(dataDir)} cannot be opened (${reason(cause)}): delete ${shownPath(directory)} to start with an empty one`,
      { cause },
    )
  }
}

/** WebAssembly's own words help nobody. */
function reason(cause: unknown): string {
  const message = cause instanceof Error ? (cause.message ?? '') : ''
  return message === '' || message.startsWith('Aborted(') ? 'it is damaged' : message
}
