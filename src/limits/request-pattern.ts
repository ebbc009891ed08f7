import type { Visit } from '../gates/gate.ts'
import { blockedMatcher, isBlockedPattern } from '../switches/blocked-pattern.ts'

/**
 * Compiles which requests a policy counts: `/exact`, `/prefix/*` for that path and all below it, either with a method
 * before it; `GET` is `HEAD` too. Read as leniently as blocked paths are: another spelling evades no limit.
 *
 * @throws TypeError for what is no pattern
 * @example requestMatcher(['POST /api/auth/login'])
 */
export const requestMatcher = (patterns: readonly string[]): ((visit: Visit) => boolean) => {
  const rules = patterns.map((pattern) => {
    const [, method, path] = /^(?:([A-Z]+) +)?(\S+)$/.exec(pattern) ?? []
    if (path === undefined || !isBlockedPattern(path)) {
      throw new TypeError(`A request pattern is /path, /path/* or POST /path: ${JSON.stringify(pattern)}`)
    }
    return { method, matches: path === '/*' ? () => true : blockedMatcher([path]) }
  })
  return (visit) => {
    const method = visit.method === 'HEAD' ? 'GET' : visit.method
    return rules.some((rule) => (rule.method ?? method) === method && rule.matches(visit.path))
  }
}
