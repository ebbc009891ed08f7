import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

/**
 * Makes sure that a port of 127.0.0.1 is free before anything slow is started for it.
 *
 * @returns the port, another one only for 0.
 * @throws Error saying in one line what to set.
 */
export async function claimPort(port: number): Promise<number> {
  const server = createServer()
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const reason = code === 'EADDRINUSE' ? `port ${port} is taken` : `cannot listen on port ${port} (${code})`
    throw new Error(`${reason}: set PORT to another one`, { cause })
  }
  const { port: claimed } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return claimed
}
