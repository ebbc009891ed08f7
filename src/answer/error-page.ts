import type { problem } from '../errors.ts'

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

/** The end of a maintenance in words, where the problem names one. */
const expectedBack = ({ code, until }: Partial<Record<'code' | 'until', unknown>>): string => {
  const date = new Date(code === 'MAINTENANCE' && typeof until === 'string' ? until : Number.NaN)
  if (Number.isNaN(date.getTime())) return ''
  const words = date.toLocaleString('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' })
  return `\n<p>Expected back: <time datetime="${date.toISOString()}">${words} UTC</time></p>`
}

/** An error as a small page for people: same status and facts as the JSON, and the id to quote. */
export const errorPage = (body: ReturnType<typeof problem>, nonce: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${body.status} ${escapeHtml(body.title)}</title>
<style nonce="${nonce}">
:root { color-scheme: light dark; font: 1.0625rem/1.6 system-ui, sans-serif }
body { display: grid; min-height: 100vh; margin: 0; place-items: center }
main { max-width: 34rem; padding: 1.5rem }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .5rem }
p { margin: 0 0 1rem }
small { opacity: .75 }
code { font: .9375em/1.4 ui-monospace, monospace; overflow-wrap: anywhere }
</style>
</head>
<body>
<main>
<h1>${body.status} ${escapeHtml(body.title)}</h1>
<p>${escapeHtml(body.detail)}</p>${expectedBack(body)}
<p><small>If you report this, quote <code>${escapeHtml(body.correlationId)}</code></small></p>
</main>
</body>
</html>
`
