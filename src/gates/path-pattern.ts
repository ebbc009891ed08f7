/**
 * Compiles path patterns: `/exact`, or `/prefix/*` for everything below `/prefix`, or `/*` for everything.
 *
 * @throws TypeError at start for a pattern that does not begin with `/` or has `*` anywhere but at its end.
 * @example pathMatcher(['/packages/*'])('/packages/a') // true
 */
export const pathMatcher = (patterns: readonly string[]): ((path: string) => boolean) => {
  const exact = new Set<string>()
  const prefixes: string[] = []
  for (const pattern of patterns) {
    const star = pattern.indexOf('*')
    if (
      !pattern.startsWith('/') ||
      (star !== -1 && (star !== pattern.length - 1 || pattern.at(-2) !== '/'))
    ) {
      throw new TypeError(`A path pattern is /exact or /prefix/*: ${pattern}`)
    }
    if (star === -1) exact.add(pattern)
    else prefixes.push(pattern.slice(0, -1))
  }
  return (path) => exact.has(path) || prefixes.some((prefix) => path.startsWith(prefix))
}
