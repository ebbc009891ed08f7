/**
 * A request that does not reach the engine, or an answer that does not fit: the HTTP status, Neon's own wording, and
 * a SQLSTATE where there is one. Neon's driver makes a `NeonDbError` with a `code` of a 400, and of nothing else.
 */
export class NeonRefusal extends Error {
  override name = 'NeonRefusal'
  readonly status: number
  readonly code: string | null

  constructor(status: number, message: string, code: string | null = null) {
    super(message)
    this.status = status
    this.code = code
  }
}
