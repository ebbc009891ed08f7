import { afterAll, beforeAll, describe } from 'vitest'
import { createPgliteEngine, type PgliteEngine } from '../../dev/pglite-engine.ts'
import { migrateContract } from './migrate-contract.ts'
import { neonContract } from './neon-contract.ts'
import { type NeonEndpoint, serveNeon } from './neon-endpoint.ts'

let engine: PgliteEngine
let endpoint: NeonEndpoint

beforeAll(async () => {
  engine = await createPgliteEngine()
  endpoint = await serveNeon(engine)
}, 60_000)

afterAll(async () => {
  await endpoint?.close()
  await engine?.close()
})

describe("Neon's protocol over PGlite", () => {
  neonContract(() => endpoint)
  migrateContract(() => engine)
})
