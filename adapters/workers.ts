import type { App } from '../src/app.ts'
import { isStreamed } from './streamed-response.ts'

/** As far as Parapet needs it of the Workers runtime. */
interface ExecutionContext {
  waitUntil(work: Promise<unknown>): void
}

/** A body that `fetch` brought the runtime streams soundly by itself, and ends when the caller goes away. */
const streams = async (response: Response): Promise<boolean> => {
  if (!isStreamed(response)) return false
  try {
    // Only its own streams can be read into a buffer; one that a script broke off at once says so by then.
    const reader = (response.body as ReadableStream).getReader({ mode: 'byob' })
    const broken = await Promise.race([
      reader.closed.then(Boolean, () => true),
      new Promise<false>((resolve) => setTimeout(resolve, 0, false)),
    ])
    reader.releaseLock()
    return broken
  } catch {
    return true
  }
}

/**
 * Makes an app a Cloudflare Worker. The environment is read from the first request of each isolate.
 *
 * @example export default toWorker(createApp({ routes }))
 */
export const toWorker = (app: App) => {
  let booted = false
  const boot = (env: object) => {
    if (booted) return
    booted = true
    // biome-ignore lint/suspicious/noConsole: it is how a Worker writes a log line
    app.boot(env as Record<string, unknown>, { runtime: 'workers', write: (line) => console.log(line) })
  }
  return {
    fetch(request: Request, env: object, context: ExecutionContext): Promise<Response> {
      boot(env)
      return app.fetch(request, { waitUntil: (work) => context.waitUntil(work), streams })
    },
    async scheduled(_event: unknown, env: object, _context: ExecutionContext): Promise<void> {
      boot(env)
      await app.tick()
    },
  }
}
