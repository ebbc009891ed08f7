import { startLocalServices } from '../../dev/local-services.ts'

// Starts the services on PARAPET_DEV_DIR, says where they are, and waits to be killed.
const { env, pid } = await startLocalServices()
process.stdout.write(`${JSON.stringify({ env, pid })}\n`)
setInterval(() => {}, 1000)
