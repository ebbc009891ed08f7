import { serve } from '../adapters/node.ts'
import { app } from './app.ts'

await serve(app)
