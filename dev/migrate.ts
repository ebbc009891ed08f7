import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What both `createPgliteEngine` and a `pg` client (`exec: (sql) => client.query(sql)`) can do. One session. */
export interface MigrationConnection {
  /** Runs a script of several statements in one go. */
  exec(sql: string): Promise<unknown>
  query(sql: string): Promise<{ rows: Record<string, unknown>[] }>
}

/** Any number will do, as long as all who migrate take the same: "prpt" in ASCII. */
const LOCK = `select pg_advisory_xact_lock(${0x70727074})`

const JOURNAL = `create table if not exists parapet_migrations (
  id text primary key,
  sha256 text not null,
  applied_at timestamptz not null default now()
)`

/**
 * Applies the `*.sql` files of a directory that are not in the journal yet, in the order of their names, each in one
 * transaction with its journal row. For development and tests only: it has no lock timeout, no lint and no dry run,
 * and trusts a file not to COMMIT. `parapet migrate` is to replace it.
 *
 * @returns the ids (file names without `.sql`) of what was applied now.
 * @throws Error naming the file, if an applied one was edited since or a new one fails; those before it stay applied.
 * @example await applyMigrations(await createPgliteEngine(), new URL('../migrations/', import.meta.url))
 */
export async function applyMigrations(db: MigrationConnection, directory: string | URL): Promise<string[]> {
  const folder = typeof directory === 'string' ? directory : fileURLToPath(directory)
  await transact(db, JOURNAL)
  const files = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  const applied: string[] = []
  for (const file of files) {
    const id = file.slice(0, -'.sql'.length)
    const sql = await readFile(join(folder, file), 'utf8')
    const sha256 = createHash('sha256').update(sql).digest('hex')
    if (await isApplied(db, id, sha256)) continue
    const row = `insert into parapet_migrations (id, sha256) values (${literal(id)}, ${literal(sha256)})`
    try {
      // The row goes first: of two who race, the second stops there.
      await transact(db, `${row};\n${sql}`)
      applied.push(id)
    } catch (cause) {
      if (await isApplied(db, id, sha256)) continue
      throw new Error(`migration ${file} failed: ${cause instanceof Error ? cause.message : cause}`, {
        cause,
      })
    }
  }
  return applied
}

async function isApplied(db: MigrationConnection, id: string, sha256: string): Promise<boolean> {
  const { rows } = await db.query(`select sha256 from parapet_migrations where id = ${literal(id)}`)
  const [row] = rows
  if (row && row.sha256 !== sha256) throw new Error(`migration ${id}.sql was edited after it was applied`)
  return row !== undefined
}

async function transact(db: MigrationConnection, sql: string): Promise<void> {
  try {
    await db.exec(`begin;\n${LOCK};\n${sql}\n;commit`)
  } catch (failure) {
    await db.exec('rollback')
    throw failure
  }
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
