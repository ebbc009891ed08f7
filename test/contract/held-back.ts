import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * A server whose bridge cannot be loaded before `GATE` answers, so that `starting` lasts as long as a test likes.
 * Run as a main with the same arguments as the others.
 */
const HELD_BACK = /\/bridge\/bridge\.ts$/
const heldBack = (source: string) => `${source}\nawait fetch(${JSON.stringify(process.env.GATE)})\n`

if (process.versions.bun) {
  Bun.plugin({
    name: 'held-back',
    setup(build) {
      build.onLoad({ filter: HELD_BACK }, ({ path }) => ({
        contents: heldBack(readFileSync(path, 'utf8')),
        loader: 'ts',
      }))
    },
  })
  await import('./bun.ts')
} else {
  const { registerHooks } = await import('node:module')
  registerHooks({
    load: (url, context, next) =>
      HELD_BACK.test(url)
        ? {
            format: 'module-typescript',
            source: heldBack(readFileSync(fileURLToPath(url), 'utf8')),
            shortCircuit: true,
          }
        : next(url, context),
  })
  await import('./node.ts')
}
