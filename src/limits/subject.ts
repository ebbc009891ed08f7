import type { Visit } from '../gates/gate.ts'
import type { Principal } from '../identity/principal.ts'
import { networksOf } from './client-network.ts'
import type { Policy } from './policy.ts'

/** One whom a policy counts. */
export interface Subject {
  /** Which kind of thing and which of them, so that no two can be taken for one another. */
  id: string
  /** How many times the policy's limit it has. */
  share: number
  /** Whether it is everybody of whom nothing is known. */
  shared: boolean
}

/** What is known of a caller. */
export interface Caller {
  /** Canonical, as the trust setting proves it. */
  address: string | undefined
  /** Proven, not merely claimed. */
  principal: Principal | undefined
}

/** A /48 holds 65,536 networks of one caller's size, and is easily had. */
const AGGREGATE_SHARE = 16

/**
 * Whom a policy counts for a visit: the principal where one is proven, else the address. An IPv6 address counts as its
 * /64 and, with sixteen times the limit, as its /48. All visits without an address are one caller.
 */
export const subjectsOf = (policy: Policy, visit: Visit, caller: Caller): Subject[] => {
  const name = nameOf(policy, visit, caller.principal)
  if (name) return [{ id: `${policy.by}\n${name}`, share: 1, shared: false }]
  if (caller.address === undefined) return [{ id: 'nobody', share: 1, shared: true }]
  return networksOf(caller.address).map((network, index) => ({
    id: `ip\n${network}`,
    share: index === 0 ? 1 : AGGREGATE_SHARE,
    shared: false,
  }))
}

const nameOf = ({ by, key }: Policy, visit: Visit, principal: Principal | undefined): string | undefined => {
  switch (by) {
    case 'custom':
      return key?.(visit)
    case 'user':
      return principal && `${principal.kind} ${principal.id}`
    case 'apiKey':
      return principal?.kind === 'apiKey' ? principal.id : undefined
    case 'tenant':
      return principal?.tenant
    case 'ip':
      return undefined
  }
}
