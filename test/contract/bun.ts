import { serve } from '../../adapters/bun.ts'
import { type AppKind, contractApp } from './app.ts'

await serve(contractApp(process.argv[2] as AppKind))
