import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

// The package as it would be published, and the Worker as it would be deployed, with its size.
const WORKER_LIMIT_KIB = 250

rmSync('dist', { recursive: true, force: true })
execFileSync('tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' })

const { outputFiles, metafile } = await build({
  entryPoints: ['server/workers.ts'],
  bundle: true,
  write: false,
  metafile: true,
  minify: true,
  format: 'esm',
  target: 'es2024',
  platform: 'browser',
  conditions: ['workerd', 'worker', 'browser'],
})
const worker = (outputFiles[0] as { contents: Uint8Array }).contents
mkdirSync('dist/worker', { recursive: true })
writeFileSync('dist/worker/worker.js', worker)

const kib = (bytes: number) => (bytes / 1024).toFixed(1)
const gzipped = gzipSync(worker).length
const packages = new Map<string, number>()
for (const [file, { bytesInOutput }] of Object.entries(Object.values(metafile.outputs)[0]?.inputs ?? {})) {
  const name = file.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1] ?? 'parapet'
  packages.set(name, (packages.get(name) ?? 0) + bytesInOutput)
}
process.stdout.write(
  `Workers bundle: ${kib(worker.length)} KiB, ${kib(gzipped)} KiB gzip (limit ${WORKER_LIMIT_KIB})\n`,
)
for (const [name, bytes] of [...packages].sort(([, a], [, b]) => b - a)) {
  process.stdout.write(`  ${kib(bytes).padStart(7)} KiB  ${name}\n`)
}
if (gzipped > WORKER_LIMIT_KIB * 1024) {
  process.stderr.write('The bundle is larger than its limit.\n')
  process.exitCode = 1
}
