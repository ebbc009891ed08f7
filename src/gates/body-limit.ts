import { AppError } from '../errors.ts'
import type { Gate } from './gate.ts'

export interface BodyLimitOptions {
  /** Bytes. */
  limit: number
}

/**
 * Ends a request whose body is larger than `limit`: at once where it says so, else while it streams.
 * `Content-Length` is never believed when it is small. A handler that swallows the failure changes nothing:
 * the answer is 413 all the same.
 */
export const bodyLimit = ({ limit }: BodyLimitOptions): Gate => {
  return function bodyLimit(visit) {
    if (visit.method === 'GET' || visit.method === 'HEAD') return undefined
    const length = visit.header('content-length')
    if (length !== undefined && Number(length) > limit) return { code: 'PAYLOAD_TOO_LARGE' }
    const body = visit.request.body
    if (body === null) return undefined

    let received = 0
    const counted = body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          received += chunk.byteLength
          if (received <= limit) return controller.enqueue(chunk)
          visit.bodyExceeded = true
          controller.error(new AppError('PAYLOAD_TOO_LARGE'))
        },
      }),
    )
    visit.request = new Request(visit.request, { body: counted, duplex: 'half' } as RequestInit)
    return undefined
  }
}
