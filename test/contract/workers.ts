import { toWorker } from '../../adapters/workers.ts'
import { type AppKind, contractApp } from './app.ts'

/** The bundler writes it in: a Worker has no command line. */
declare const APP_KIND: AppKind

export default toWorker(contractApp(APP_KIND))
