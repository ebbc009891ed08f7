import { within } from '../deadline.ts'
import { AppError } from '../errors.ts'
import type { Gate } from './gate.ts'

export interface BodyLimitOptions {
  /** Bytes. */
  limit: number
}

type Fault = 'PAYLOAD_TOO_LARGE' | 'BAD_REQUEST'

/**
 * A refused body is read on while it keeps coming, up to these bounds: a runtime that answers and closes while the
 * caller still sends makes the caller see a reset instead of the answer.
 */
const DRAIN_BYTES = 64 * 1024 * 1024
const DRAIN_MS = 500
const QUIET_MS = 25

/**
 * Ends a request whose body is larger than `limit`: at once where it says so, else while it streams.
 * `Content-Length` is never believed when it is small. A handler that swallows the failure changes nothing:
 * the answer is 413 all the same, and 400 where the body ends before it should.
 */
export const bodyLimit = ({ limit }: BodyLimitOptions): Gate => {
  return function bodyLimit(visit) {
    const length = visit.header('content-length')
    const isRead = visit.method === 'GET' || visit.method === 'HEAD'
    if (isRead && (length ?? '0') === '0' && visit.header('transfer-encoding') === undefined) return undefined
    const { body, url, method, headers, signal } = visit.request
    if (body === null) return undefined
    if (Number(length) > limit) return drain(body.getReader()).then(() => ({ code: 'PAYLOAD_TOO_LARGE' }))
    if (isRead) {
      // It has no meaning, and Node does not hand it on.
      visit.request = new Request(url, { method, headers, signal })
      return undefined
    }
    const counted = count(body, limit, (fault) => {
      visit.bodyFault = fault
      return new AppError(fault)
    })
    visit.request = new Request(visit.request, { body: counted, duplex: 'half' } as RequestInit)
    return undefined
  }
}

const count = (body: ReadableStream<Uint8Array>, limit: number, fail: (fault: Fault) => AppError) => {
  const reader = body.getReader()
  let received = 0
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read()
        if (done) return controller.close()
        received += value.byteLength
        if (received <= limit) return controller.enqueue(value)
      } catch {
        return controller.error(fail('BAD_REQUEST'))
      }
      await drain(reader)
      controller.error(fail('PAYLOAD_TOO_LARGE'))
    },
    cancel: (reason) => reader.cancel(reason),
  })
}

const drain = async (reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> => {
  const end = Date.now() + DRAIN_MS
  let left = DRAIN_BYTES
  try {
    while (left > 0 && Date.now() < end) {
      const { done, value } = await within(QUIET_MS, reader.read(), () => new Error('quiet'))
      if (done) return
      left -= value.byteLength
    }
  } catch {
    // It has stopped coming, or nobody is there any more.
  }
  reader.cancel().catch(() => {})
}
