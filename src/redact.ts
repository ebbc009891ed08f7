/** What {@link createRedactor} takes out. */
export interface RedactorOptions {
  /** Exact values that must never be written, longest first. */
  secrets?: readonly string[]
  /** Also take out e-mail addresses, phone numbers and the last part of IP addresses. Default `true`. */
  pii?: boolean
}

export type Redactor = (text: string) => string

const CREDENTIALS: [RegExp, string][] = [
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#@]*@/gi, '$1[redacted]@'],
  [/\b(bearer|basic)\s+[\w~+/.=-]{6,}/gi, '$1 [redacted]'],
  [/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, '[redacted]'],
  [/\b(?:pp_(?:live|test)_|whsec_|sk_|rk_|SG\.|re_|xox[a-z]-|gh[a-z]_)[\w.-]{6,}/g, '[redacted]'],
  [
    /([?&;\s]|^)([\w-]*(?:token|secret|password|passwd|api[-_]?key|signature|sig|code|session)[\w-]*)=[^&\s]+/gi,
    '$1$2=[redacted]',
  ],
]

const PII: [RegExp, string][] = [
  [/[\w.!#$&'*+=?^`{|}~-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+/gi, '[email]'],
  [/\b(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}\b/g, '$1.0'],
  [/(?<![\w:.])([0-9a-f]{1,4}:[0-9a-f]{1,4}:[0-9a-f]{0,4}):[0-9a-f:]{2,}(?![\w:])/gi, '$1::'],
  [/(?<![\w.:-])\+\d[\d ().-]{7,}\d(?![\w-])/g, '[phone]'],
]

/** Every pattern above needs one of these: most paths have none, and are left alone at once. */
const SUSPECT = /[@=:%+_.\s]|eyJ|xox/

/**
 * Makes the function through which every text passes before it is written.
 *
 * @example
 * ```ts
 * const redact = createRedactor({ secrets: [config.INTERNAL_API_KEY] })
 * redact('postgres://app:hunter2@db failed') // 'postgres://[redacted]@db failed'
 * ```
 */
export const createRedactor = ({ secrets = [], pii = true }: RedactorOptions = {}): Redactor => {
  const patterns = pii ? [...CREDENTIALS, ...PII] : CREDENTIALS
  return function redact(text) {
    let result = text
    for (const secret of secrets)
      if (result.includes(secret)) result = result.replaceAll(secret, '[redacted]')
    if (!SUSPECT.test(result)) return result
    for (const [pattern, replacement] of patterns) result = result.replace(pattern, replacement)
    return result
  }
}
