/** Who is asking. */
export interface Principal {
  kind: 'operator'
  id: string
}
