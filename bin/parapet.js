#!/usr/bin/env node
// Built, the command line runs on any Node from 20 up. In a checkout the source itself runs, on the Node that comes
// with `npm ci`, because an older one does not read TypeScript.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const built = at('../dist/cli/main.js')
const source = at('../cli/main.ts')

if (existsSync(source)) {
  const node = at('../node_modules/node/bin/node')
  const { status, signal } = spawnSync(
    existsSync(node) ? node : process.execPath,
    [source, ...process.argv.slice(2)],
    {
      stdio: 'inherit',
    },
  )
  process.exitCode = status ?? (signal === 'SIGINT' ? 130 : 1)
} else {
  const { run } = await import(built)
  await run()
}
