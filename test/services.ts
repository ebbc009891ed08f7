import { spawnSync } from 'node:child_process'

// The suites that talk to Postgres and Redis, against real servers: the same cases as on the embedded ones, and the
// lock, race and timeout tests that only a real server can run.
const SUITES = ['test/bridge', 'test/reference', 'test/store', 'test/gcra.test.ts']

// Fleets of processes, which need the machine for themselves.
const FLEETS = ['test/fleet', '--no-file-parallelism']

const missing = ['TEST_DATABASE_URL', 'TEST_REDIS_URL'].filter((name) => !process.env[name])
if (missing.length > 0) {
  process.stderr.write(
    `npm run test:services needs ${missing.join(' and ')}, such as postgres://postgres@127.0.0.1:5432/postgres and redis://127.0.0.1:6379\n`,
  )
  process.exit(78)
}
const failed = [SUITES, FLEETS].filter(
  (suites) =>
    spawnSync('vitest', ['run', ...suites, ...process.argv.slice(2)], { stdio: 'inherit' }).status !== 0,
)
process.exit(failed.length > 0 ? 1 : 0)
