import { relative } from 'node:path'

/** A path as one would type it: relative below the working directory, absolute elsewhere. */
export function shownPath(path: string): string {
  const short = relative(process.cwd(), path)
  return short === '' || short.startsWith('..') ? path : short
}
