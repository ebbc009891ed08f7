import { toWorker } from '../adapters/workers.ts'
import { app } from './app.ts'

export default toWorker(app)
