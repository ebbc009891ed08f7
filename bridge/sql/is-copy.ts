/**
 * Whether a statement is a COPY. HTTP carries no copy stream: COPY FROM STDIN would leave the connection waiting for
 * data that cannot come, COPY TO STDOUT would answer "done" with the data thrown away. The forms with a server-side
 * file or program are refused with them, as nothing that is reached over HTTP should read the server's disk.
 *
 * Only the first word needs reading: COPY is a statement of its own, and functions may not copy to the client.
 */
export function isCopy(text: string): boolean {
  return /^copy\b/i.test(text.slice(skipBlank(text)))
}

/** Where the first word starts: after white space, stray semicolons and comments. */
function skipBlank(text: string): number {
  let at = 0
  for (;;) {
    if (/[\s;]/.test(text.charAt(at))) at += 1
    else if (text.startsWith('--', at)) at = lineEnd(text, at)
    else if (text.startsWith('/*', at)) at = commentEnd(text, at)
    else return at
  }
}

function lineEnd(text: string, start: number): number {
  const end = /[\r\n]|$/g
  end.lastIndex = start
  return end.exec(text)?.index ?? text.length
}

/** Postgres nests comments. */
function commentEnd(text: string, start: number): number {
  const mark = /\/\*|\*\//g
  mark.lastIndex = start
  let depth = 0
  for (let found = mark.exec(text); found; found = mark.exec(text)) {
    depth += found[0] === '/*' ? 1 : -1
    if (depth === 0) return mark.lastIndex
  }
  return text.length
}
