/** Values that stand in published guides, tutorials or templates, so that anyone can try them. */
const KNOWN = new Set([
  'ccl-internal-2025',
  'your-secure-random-string-here',
  'another-secure-random-string',
  'session-secret-string',
  'your-secure-random-string-min-32-chars',
  'session-secret-min-32-characters',
  'your-secure-api-key',
  'your-256-bit-jwt-secret',
  'your-256-bit-session-secret',
  'a-string-secret-at-least-256-bits-long',
  'keyboard cat',
])

const PLACEHOLDER =
  /^(?:your|another|my|the|some|change|replace|insert|example|sample|default|dummy)[-_ ]|change[-_ ]?me|placeholder|xxxxx/i

/**
 * Why a secret must not be used, or nothing. The reason never holds the value.
 *
 * @example weaknessOf('ccl-internal-2025', 32) // 'is a known or documented value'
 */
export const weaknessOf = (secret: string, minimumLength: number): string | undefined => {
  if (KNOWN.has(secret.toLowerCase()) || PLACEHOLDER.test(secret)) return 'is a known or documented value'
  if (secret.length < minimumLength) return `must have ${minimumLength} characters or more`
  if (minimumLength === 0) return undefined
  if (new Set(secret).size < 8 || /^(.{1,12})\1+$/s.test(secret))
    return 'repeats itself: use random characters'
  return undefined
}

/**
 * Compares in a time that depends on the length of the candidate only.
 * A wrong length is no secret: it takes the same path over the candidate's own characters.
 */
export const equalInConstantTime = (candidate: string, secret: string): boolean => {
  const comparable = candidate.length === secret.length
  const against = comparable ? secret : candidate
  let difference = comparable ? 0 : 1
  for (let i = 0; i < candidate.length; i++) difference |= candidate.charCodeAt(i) ^ against.charCodeAt(i)
  return difference === 0
}
