import type { Handler } from './handler.ts'

/** A path prefix and who answers below it; `/` takes everything. */
export type Route = readonly [prefix: string, handler: Handler]

/** One handler out of several: the first whose prefix is the path or a parent of it; 404 if there is none. */
export function routes(table: readonly Route[]): Handler {
  return async (request) => {
    const { pathname } = new URL(request.url)
    const route = table.find(([prefix]) => {
      const parent = prefix.endsWith('/') ? prefix : `${prefix}/`
      return pathname === prefix || pathname.startsWith(parent)
    })
    return route ? route[1](request) : Response.json({ error: 'not found' }, { status: 404 })
  }
}
