/** Who is asking. */
export interface Principal {
  kind: 'operator' | 'user' | 'apiKey'
  id: string
  /** Whose data it may see. */
  tenant?: string
}
