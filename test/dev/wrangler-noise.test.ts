import { expect, it } from 'vitest'
import { wranglerNoise } from '../../dev/wrangler-noise.ts'

const shown = (lines: string[]) => lines.filter(wranglerNoise())

it('drops what wrangler says of itself, with the lines that belong to it', () => {
  const lines = [
    '',
    'Using secrets defined in .dev/vars',
    'Your Worker has access to the following bindings:',
    'Binding                        Resource                  Mode',
    'env.NODE_ENV ("development")   Environment Variable      local',
    '',
    '⎔ Starting local server...',
    '\u001b[33m▲ \u001b[43;33m[\u001b[43;30mWARNING\u001b[43;33m]\u001b[0m \u001b[1mScheduled Workers are not automatically triggered\u001b[0m',
    '  To manually trigger a scheduled event, run:',
    '',
    '[wrangler:info] Ready on http://127.0.0.1:8787',
    '[wrangler:info] GET /health 200 OK (4ms)',
  ]
  expect(shown(lines)).toEqual([])
})

it("shows the worker's log, errors with their details, and reloads", () => {
  const lines = [
    '[request] GET /api/customers 200 1ms [id]',
    '\u001b[31m✘ [ERROR]\u001b[0m Build failed with 1 error:',
    '    src/app.ts:1:1:',
    '⎔ Reloading local server...',
    '{"level":"info"}',
  ]
  expect(shown(lines)).toEqual(lines)
})
