/**
 * A JSON parameter as Postgres text, by the rules of Neon's proxy: null is NULL, a string is itself, an array becomes
 * an array literal, everything else its JSON. Neon's driver sends text only; this serves hand-made requests.
 *
 * One difference, on purpose: the proxy escapes strings inside arrays as JSON does, which turns a line feed into the
 * letter n. Here only the quote and the backslash are escaped, as in node-postgres.
 *
 * @example paramText([1, null, 'a"b']) // '{1,NULL,"a\\"b"}'
 * @throws RangeError for an integer that JSON.parse has already rounded.
 */
export function paramText(value: unknown): string | null {
  if (value === null || typeof value === 'string') return value
  return Array.isArray(value) ? arrayLiteral(value) : jsonText(value)
}

function arrayLiteral(elements: readonly unknown[]): string {
  const texts = elements.map((element) => {
    if (element === null) return 'NULL'
    if (Array.isArray(element)) return arrayLiteral(element)
    if (typeof element === 'string') return quote(element)
    return typeof element === 'object' ? quote(jsonText(element)) : jsonText(element)
  })
  return `{${texts.join(',')}}`
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}

function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (Number.isInteger(inner) && !Number.isSafeInteger(inner)) {
      throw new RangeError('send integers beyond 2^53 as strings')
    }
    return inner
  })
}
