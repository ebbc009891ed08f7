import { Lru } from '../store/lru.ts'
import type { Charge, Standing } from '../store/store.ts'

/** A charge against a policy that may be leased from. */
export interface LeasedCharge extends Charge {
  /** Tokens to take at once, and milliseconds that they are good for. 0 where the policy is not leased. */
  lease: number
  leaseMs: number
}

interface Lease {
  tokens: number
  standing: Standing | undefined
  /** Milliseconds since the epoch. */
  expires: number
  /** When a request last went out that takes tokens. Another one takes none beside it. */
  asked: number
  /** Requests since `since`, and in the stretch of time before it. */
  hits: number
  before: number
  since: number
}

const MAX_LEASES = 1000
/** Milliseconds after which nobody waits for the answer to a request any more. */
const LAPSED_MS = 200

/**
 * Tokens that this instance has taken and not spent. They were paid for when they were taken, so that the fleet never
 * admits more than the limit; those not spent in time are lost, so that only a hot instance takes any: one that has
 * seen twice as many requests, in as long as a lease is good for, as it takes tokens.
 */
export const createLeases = () => {
  const leases = new Lru<string, Lease>(MAX_LEASES)

  const of = (charge: LeasedCharge, now: number): Lease => {
    let lease = leases.get(charge.key)
    if (!lease) {
      lease = { tokens: 0, standing: undefined, expires: 0, asked: 0, hits: 0, before: 0, since: now }
      leases.set(charge.key, lease)
    }
    const stretches = Math.floor((now - lease.since) / charge.leaseMs)
    if (stretches !== 0) {
      lease.before = stretches === 1 ? lease.hits : 0
      lease.hits = 0
      lease.since = now
    }
    return lease
  }

  return {
    /** Spends tokens that are held for every one of these charges, or none. */
    spend(charges: readonly LeasedCharge[], now: number): Standing[] | undefined {
      const held = charges.filter(({ lease }) => lease > 0).map((charge) => of(charge, now))
      for (const lease of held) lease.hits += 1
      if (held.length < charges.length) return undefined
      const enough = held.every(
        ({ tokens, expires }, index) => now < expires && tokens >= (charges[index] as Charge).cost,
      )
      if (!enough) return undefined
      return held.map((lease, index) => {
        lease.tokens -= (charges[index] as Charge).cost
        const standing = lease.standing as Standing
        return { ...standing, remaining: standing.remaining + lease.tokens }
      })
    },

    /** Tokens to ask for beside the cost. */
    extra(charge: LeasedCharge, now: number): number {
      if (charge.lease === 0) return 0
      const lease = of(charge, now)
      const isHot = Math.max(lease.before, lease.hits) >= 2 * charge.lease
      const holds = now < lease.expires && lease.tokens >= charge.cost
      if (!isHot || holds || Math.abs(now - lease.asked) < LAPSED_MS) return 0
      lease.asked = now
      return Math.max(0, charge.lease - charge.cost)
    },

    /** Keeps what was taken beyond the cost by a request that went out at `now`. */
    keep(charge: LeasedCharge, standing: Standing, now: number): void {
      if (charge.lease === 0 || !charge.extra) return
      const lease = of(charge, now)
      lease.asked = 0
      lease.tokens = standing.taken - charge.cost
      lease.standing = standing
      lease.expires = now + charge.leaseMs
    },
  }
}

export type Leases = ReturnType<typeof createLeases>
