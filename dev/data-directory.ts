import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { LocalServicesError } from './local-services-error.ts'
import { shownPath } from './shown-path.ts'

const { R_OK, W_OK, X_OK } = constants

/**
 * Makes a directory this process's own until it calls `release` or ends: two PGlites on the same files would ruin
 * them. The lock is the operating system's, taken through SQLite, so whatever kills its holder frees it, and a pid
 * that was given to another program since cannot keep it.
 *
 * @throws LocalServicesError when the directory is taken or cannot be written.
 * @example const { release } = claimDataDirectory('.dev', process.ppid)
 */
export function claimDataDirectory(directory: string, owner: number): { release(): void } {
  const shown = shownPath(directory)
  const pid = join(directory, 'pid')
  try {
    mkdirSync(directory, { recursive: true })
    for (const path of [directory, join(directory, 'pg')])
      if (existsSync(path)) accessSync(path, R_OK | W_OK | X_OK)
    for (const name of ['lock', 'pid', 'operator-token', 'vars']) requireFile(join(directory, name))
  } catch (cause) {
    const { code, path = directory } = cause as NodeJS.ErrnoException
    throw new LocalServicesError(
      `cannot write to ${shownPath(path)} (${code}): make ${shown} a directory of yours, or name another in PARAPET_DEV_DIR`,
      { cause },
    )
  }
  const lock = new DatabaseSync(join(directory, 'lock'), { open: false })
  try {
    lock.open()
    // No journal file: nothing is ever stored here.
    lock.exec('pragma journal_mode = memory; begin exclusive')
  } catch (cause) {
    const { errcode, message } = cause as Error & { errcode?: number }
    if (errcode !== SQLITE_BUSY) throw new LocalServicesError(`cannot lock ${shown} (${message})`, { cause })
    const holder = existsSync(pid) ? ` (process ${readFileSync(pid, 'utf8').trim()})` : ''
    throw new LocalServicesError(
      `${shown} is in use by another running instance${holder}: stop that one, or name another directory in PARAPET_DEV_DIR`,
      { cause },
    )
  }
  writeFileSync(pid, `${owner}\n`)
  return { release: () => lock.close() }
}

/** Opens for appending, which changes nothing, what is there. */
function requireFile(path: string): void {
  if (existsSync(path)) closeSync(openSync(path, 'a'))
}

const SQLITE_BUSY = 5
