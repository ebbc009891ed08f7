import { CheckFailure, transportFailure } from './failure.ts'

/** Bytes of an answer, once it is unpacked, that are read at most. */
const MAX_BYTES = 65_536

/**
 * Fetches a JSON document of 64 KiB at most, by one request that carries no credentials and follows no redirect.
 *
 * @throws {@link CheckFailure} whatever goes wrong
 */
export const fetchJson = async (url: string, signal: AbortSignal): Promise<unknown> => {
  try {
    const response = await fetch(url, {
      headers: { Accept: 'application/json' },
      redirect: 'manual',
      // Bun sends a GET again where a connection that was kept turns out to be dead.
      keepalive: false,
      signal,
    })
    if (response.status !== 200) {
      response.body?.cancel().catch(() => {})
      throw new CheckFailure(response.status === 401 || response.status === 403 ? 'auth' : 'bad_response')
    }
    return JSON.parse(await readText(response))
  } catch (thrown) {
    if (thrown instanceof CheckFailure) throw thrown
    // A signal may end a body with an error of its own kind.
    if (signal.aborted) throw new CheckFailure('timeout')
    throw new CheckFailure(thrown instanceof SyntaxError ? 'bad_response' : transportFailure(thrown))
  }
}

const readText = async ({ body }: Response): Promise<string> => {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.length
    if (bytes > MAX_BYTES) throw new CheckFailure('bad_response')
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}
