/**
 * Whether a text is `/exact`, that path alone, or `/prefix/*`, that path and everything below it: a path as it is
 * read, decoded, without a query and without what makes no difference or two meanings.
 */
export const isBlockedPattern = (pattern: string): boolean => {
  if (!pattern.startsWith('/') || pattern.length > 500) return false
  if (FORBIDDEN.test(pattern) || !pattern.isWellFormed()) return false
  const path = pattern.replace(/\/\*$/, '')
  if (path.includes('*')) return false
  const segments = path.replace(/\/$/, '').split('/').slice(1)
  return segments.every((segment) => segment.trim() !== '' && segment !== '.' && segment !== '..')
}

/** The one spelling of a pattern: two that are equal here block the same paths. */
export const canonicalPattern = (pattern: string): string => {
  const below = pattern.endsWith('/*')
  const segments = fold(below ? pattern.slice(0, -1) : pattern)
  return `/${[...segments, ...(below ? ['*'] : [])].join('/')}`
}

/**
 * Compiles patterns to one question: is this path blocked, as the most lenient router behind us could read it?
 * Letter case, look-alike letters, matrix parameters (`;a=b`), a file ending (`.json`), a slash at the end, spaces
 * and an encoded `?` or `#` make no difference.
 *
 * @example blockedMatcher(['/api/reports/*'])('/API/Reports.json') // true
 */
export const blockedMatcher = (patterns: readonly string[]): ((path: string) => boolean) => {
  const exact = new Set<string>()
  const below = new Map<string, number>()
  for (const pattern of patterns) {
    const segments = fold(pattern.replace(/\/\*$/, ''))
    if (pattern.endsWith('/*')) below.set(segments.join('/'), segments.length)
    else exact.add(segments.join('/'))
  }
  const depths = [...new Set(below.values())]
  if (exact.size + below.size === 0) return () => false

  return (path) => {
    const segments = fold(path)
    const whole = segments.join('/')
    if (exact.has(whole) || exact.has(withoutEnding(whole))) return true
    return depths.some((depth) => {
      const head = segments.slice(0, depth).join('/')
      return below.has(head) || below.has(withoutEnding(head))
    })
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\\?#%;]|\/\//

/** Every pattern asks for the same path, one after the other. */
let lastPath = ''
let lastFold: readonly string[] = []

const fold = (path: string): readonly string[] => {
  if (path !== lastPath) {
    lastFold = foldAnew(path)
    lastPath = path
  }
  return lastFold
}

const foldAnew = (path: string): string[] =>
  (path.normalize('NFKC').toLowerCase().split(/[?#]/, 1)[0] as string)
    .split('/')
    .map((segment) => (segment.split(';', 1)[0] as string).trim())
    .filter((segment) => segment !== '')

const withoutEnding = (path: string): string => path.replace(/(?<=[^/])\.[^./]*$/, '')
