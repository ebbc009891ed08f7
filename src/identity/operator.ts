import { equalInConstantTime } from '../config/secrets.ts'
import type { Principal } from './principal.ts'

/** Recognises the operator token. Without a token configured, nobody is an operator. */
export const createOperator = (token: string | undefined) => {
  const operator: Principal = { kind: 'operator', id: 'operator' }
  return (candidate: string): Principal | undefined =>
    token !== undefined && equalInConstantTime(candidate, token) ? operator : undefined
}
