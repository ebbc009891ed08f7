import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Child, startChild } from './child.ts'
import { LocalServicesError } from './local-services-error.ts'
import type { LocalServicesReport } from './local-services-process.ts'

export interface LocalServicesOptions {
  /** Where data are kept. Default `PARAPET_DEV_DIR`, else `.dev` in the project. */
  dataDir?: string
  /** Keeps Postgres in memory too, and writes no file. */
  memory?: boolean
  /** Ends what was started, and rejects. */
  signal?: AbortSignal
  /** Told the variables as soon as they are known, seconds before anything answers behind them. */
  onEnv?: (env: Record<string, string>) => void
  /** Told when the services end without `close`. By default it is said on standard error. */
  onEnd?: (error: LocalServicesError) => void
}

export interface LocalServices {
  /** `DATABASE_URL`, `NEON_FETCH_ENDPOINT`, `UPSTASH_REDIS_REST_URL`, `UPSTASH_REDIS_REST_TOKEN`. Holds secrets. */
  readonly env: Record<string, string>
  /** Of their process. */
  readonly pid: number | undefined
  close(): Promise<void>
}

const PROCESS = fileURLToPath(new URL('local-services-process.ts', import.meta.url))

/** `PARAPET_DEV_DIR`, else `.dev` in the project. */
export const developmentDirectory = (): string =>
  resolve(process.env.PARAPET_DEV_DIR || fileURLToPath(new URL('../.dev', import.meta.url)))

/**
 * Starts Postgres (PGlite, migrated) and Redis (embedded) in a process of their own, behind Neon's and Upstash's
 * protocols on a free loopback port, with a password and a token that are new each time. They end with `close`, or
 * with the process that started them, however that ends. For development and tests only.
 *
 * The data directory:
 *
 * - `pg/` Postgres. It survives a restart; Redis starts empty.
 * - `pg.new/` one that is being made, or was when something stopped it.
 * - `lock`, `pid` held while an instance runs, and whose it is.
 * - `operator-token`, `vars`, `wrangler/` of `npm run dev`: see `main.ts`.
 *
 * All of it may be deleted while nothing runs.
 *
 * @throws LocalServicesError when they cannot be started, with a message to print.
 * @example
 * const services = await startLocalServices({ memory: true })
 * Object.assign(process.env, services.env)
 */
export async function startLocalServices({
  dataDir = developmentDirectory(),
  memory = false,
  signal,
  onEnv,
  onEnd = sayOnStandardError,
}: LocalServicesOptions = {}): Promise<LocalServices> {
  if (!existsSync(PROCESS))
    throw new LocalServicesError('local services are not part of the package: set DATABASE_URL')
  const child = startChild(memory ? [PROCESS] : [PROCESS, resolve(dataDir)])
  const abort = () => void child.end()
  signal?.addEventListener('abort', abort, { once: true })
  if (signal?.aborted) abort()
  try {
    const env = await started(child, onEnv)
    let closing: Promise<void> | undefined
    void child.ended.then((how) => {
      if (!closing && !signal?.aborted) onEnd(new LocalServicesError(`the local services ended (${how})`))
    })
    return {
      env,
      pid: child.process.pid,
      close: () => {
        closing ??= child.end()
        return closing
      },
    }
  } catch (error) {
    await child.end()
    throw error
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}

function started({ process: child, ended }: Child, onEnv: LocalServicesOptions['onEnv']) {
  return new Promise<Record<string, string>>((resolve, reject) => {
    let env: Record<string, string> = {}
    child.on('message', (report: LocalServicesReport) => {
      if ('error' in report) return reject(new LocalServicesError(report.error))
      if ('ready' in report) return resolve(env)
      env = report.env
      try {
        onEnv?.(env)
      } catch (error) {
        reject(error)
      }
    })
    void ended.then(async (how) => {
      // What it said last may still be on its way.
      if (child.connected) await once(child, 'disconnect')
      reject(new LocalServicesError(`the local services ended while they were starting (${how})`))
    })
  })
}

function sayOnStandardError({ message }: LocalServicesError): void {
  process.stderr.write(`parapet: ${message}: start again\n`)
}
