import { serve } from '../adapters/bun.ts'
import { app } from './app.ts'

await serve(app)
