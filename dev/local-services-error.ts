/** Why the local services cannot be had. The message is one line for a developer's eyes, and says what to do. */
export class LocalServicesError extends Error {
  override readonly name = 'LocalServicesError'

  constructor(message: string, options?: ErrorOptions) {
    super(message.replaceAll(/\s*\n\s*/g, ' '), options)
  }
}
