import { stripVTControlCharacters } from 'node:util'

const METHODS = '(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)'

/** What says nothing that the banner or the worker's own log does not say. */
const NOISE = [
  new RegExp(`^\\[wrangler:info\\] (?:${METHODS} /|Ready on )`),
  /^Using secrets defined in /,
  /^Your Worker has access to the following bindings/,
  /^(?:Binding +Resource|env\.\w+ )/,
  /^⎔ Starting local server/,
  /WARNING.*(?:Scheduled Workers are not|Request\.cf|Proxy environment variables)/,
]

/**
 * Tells for each line of wrangler's output, in their order, whether a developer wants to see it. Blank and indented
 * lines belong to the line before them.
 *
 * @example const wanted = wranglerNoise(); lines.filter(wanted)
 */
export function wranglerNoise(): (line: string) => boolean {
  let dropped = true
  return (line) => {
    const text = stripVTControlCharacters(line)
    if (/^\S/.test(text)) dropped = NOISE.some((pattern) => pattern.test(text))
    return !dropped
  }
}
