import type { Visit } from '../gates/gate.ts'
import type { Principal } from '../identity/principal.ts'
import { createMemoryStore } from '../store/memory-store.ts'
import type { Standing, Store, Verdict } from '../store/store.ts'
import { createDenials } from './denials.ts'
import { type Keys, plainKeys } from './keys.ts'
import { createLeases, type LeasedCharge } from './leases.ts'
import { type CompiledPolicy, compilePolicies, MAX_LOG, type Policy } from './policy.ts'
import { type Subject, subjectsOf } from './subject.ts'

export interface LimiterOptions {
  policies: readonly Policy[]
  /** Default: in this process. */
  store?: Store
  /** Default: plain ones. A store that others can read needs hashed ones. */
  keys?: Keys
  /** Instances that share the limits: while the store is away each of them has its part. Default 1. */
  instances?: number
  addressOf: (visit: Visit) => string | undefined
  /** Who is proven to ask, before anyone is refused for it. */
  principalOf: (visit: Visit) => Principal | undefined
  /** Milliseconds since the epoch. */
  clock?: () => number
  /** Told of every decision that a policy had a part in. */
  onDecision?: (policy: string, outcome: DecisionOutcome) => void
}

/** How a decision came about; a closed set for metrics. */
export type DecisionOutcome =
  | 'allowed'
  | 'denied'
  | 'fallback_allowed'
  | 'fallback_denied'
  | 'fallback_open'
  | 'fallback_closed'

/** One policy's part in a decision. */
export interface Judged {
  policy: CompiledPolicy
  /** How the limit stands; nothing where that is not known, or true of this instance alone. */
  standing: Standing | undefined
  violated: boolean
}

export interface Decision {
  outcome: 'allowed' | 'denied' | 'unavailable'
  judged: readonly Judged[]
  /** Milliseconds until all that refused would not. */
  retryMs: number
  /** Whether the store was asked: a caller who is known to be denied asks nobody. */
  fresh: boolean
  /** Made without the store, which is away. */
  degraded: boolean
}

export type Limiter = ReturnType<typeof createLimiter>

type Asked = Decision | undefined | Promise<Decision | undefined>

/** A charge and the policy it belongs to. One policy can have several. */
interface PolicyCharge extends LeasedCharge {
  policy: CompiledPolicy
}

/**
 * Decides by all policies that match a visit at once: all of them are charged, or none.
 *
 * @throws TypeError for a policy that cannot be
 */
export const createLimiter = ({
  policies,
  store = createMemoryStore(),
  keys = plainKeys,
  instances = 1,
  addressOf,
  principalOf,
  clock = Date.now,
  onDecision,
}: LimiterOptions) => {
  const compiled = compilePolicies(policies)
  const denials = createDenials()
  const leases = createLeases()
  const local = createMemoryStore()
  const asked = new WeakMap<Visit, { decision: Asked }>()

  const chargesOf = (visit: Visit, matching: readonly CompiledPolicy[]) => {
    const caller = { address: addressOf(visit), principal: principalOf(visit) }
    const wanted = matching.flatMap((policy) =>
      subjectsOf(policy, visit, caller).map((subject) => chargeOf(policy, subject, visit)),
    )
    const named = wanted.map(({ policy, algorithm, periodMs, subject }) =>
      // An exact log of one length cannot be read as one of another.
      keys(`parapet:${algorithm}${algorithm === 'log' ? periodMs : ''}:${policy.name}`, subject),
    )
    const withKeys = (found: readonly string[]): PolicyCharge[] =>
      wanted.map(({ subject, ...charge }, index) => ({ ...charge, key: found[index] as string }))
    return named.every((key) => typeof key === 'string') ? withKeys(named) : Promise.all(named).then(withKeys)
  }

  const ask = (visit: Visit): Asked => {
    const matching = compiled.filter((policy) => policy.matches(visit) && !policy.skip?.(visit))
    if (matching.length === 0) return undefined
    const charges = chargesOf(visit, matching)
    return charges instanceof Promise ? charges.then((all) => decide(visit, all)) : decide(visit, charges)
  }

  const decide = (visit: Visit, charges: PolicyCharge[]): Asked => {
    const known = charges.map((charge) => denials.find(charge, visit.now))
    if (known.some((standing) => standing !== undefined)) return decision(charges, known, { fresh: false })

    const leased = leases.spend(charges, visit.now)
    if (leased) return decision(charges, leased, { fresh: false })

    // Beside a limit that must be asked for anyway, tokens in hand save nothing.
    const isLeased = charges.every(({ lease }) => lease > 0)
    const wanted = isLeased
      ? charges.map((charge) => ({ ...charge, extra: leases.extra(charge, visit.now) }))
      : charges
    const verdict = store.charge(wanted, visit)
    return verdict instanceof Promise
      ? verdict.then((settled) => judge(visit, wanted, settled))
      : judge(visit, wanted, verdict)
  }

  const judge = (visit: Visit, charges: PolicyCharge[], verdict: Verdict | undefined): Asked => {
    if (!verdict) return fallBack(visit, charges)
    charges.forEach((charge, index) => {
      const standing = verdict.standings[index] as Standing
      if (!standing.allowed) denials.add(charge, { ...standing, retryMs: pauseOf(charge, standing) }, clock())
      else if (verdict.allowed) leases.keep(charge, standing, visit.now)
    })
    if (verdict.allowed) refundLater(visit, charges, store)
    return decision(charges, verdict.standings, { fresh: true })
  }

  /** The store is away: each policy says itself what that means. */
  const fallBack = (visit: Visit, charges: PolicyCharge[]): Decision => {
    const closed = charges.filter(({ policy }) => policy.mode === 'closed')
    if (closed.length > 0) {
      for (const name of namesOf(closed)) onDecision?.(name, 'fallback_closed')
      return {
        outcome: 'unavailable',
        judged: judgedOf(charges, [], (charge) => closed.includes(charge)),
        retryMs: 0,
        fresh: true,
        degraded: true,
      }
    }
    const limited = charges
      .filter(({ policy }) => policy.mode === 'local')
      .map((charge) => partOf(charge, instances))
    const verdict = local.charge(limited, visit) as Verdict
    if (verdict.allowed) refundLater(visit, limited, local)
    const refused = new Set(
      limited.filter((_, index) => !verdict.standings[index]?.allowed).map(({ policy }) => policy),
    )
    for (const { policy } of policiesOf(charges)) {
      const outcome = refused.has(policy) ? 'fallback_denied' : 'fallback_allowed'
      onDecision?.(policy.name, policy.mode === 'open' ? 'fallback_open' : outcome)
    }
    return {
      outcome: verdict.allowed ? 'allowed' : 'denied',
      judged: judgedOf(charges, [], ({ policy }) => refused.has(policy)),
      retryMs: Math.max(0, ...verdict.standings.map(({ retryMs }) => retryMs)),
      fresh: true,
      degraded: true,
    }
  }

  const decision = (
    charges: readonly PolicyCharge[],
    standings: readonly (Standing | undefined)[],
    { fresh }: { fresh: boolean },
  ): Decision => {
    const judged = judgedOf(charges, standings, (_, index) => standings[index]?.allowed === false)
    for (const { policy, violated } of judged) onDecision?.(policy.name, violated ? 'denied' : 'allowed')
    const violated = judged.filter((one) => one.violated)
    return {
      outcome: violated.length > 0 ? 'denied' : 'allowed',
      judged,
      retryMs: Math.max(0, ...violated.map(({ standing }) => standing?.retryMs ?? 0)),
      fresh,
      degraded: false,
    }
  }

  const refundLater = (visit: Visit, charges: readonly PolicyCharge[], from: Store) => {
    const refundable = charges.filter(({ policy }) => policy.refund)
    if (refundable.length === 0) return
    visit.afterwards.push((status) => {
      const due = refundable.filter(({ policy }) => policy.refund?.(status))
      if (due.length === 0) return
      const refunded = from.refund(due, { now: visit.now, waitUntil: (work) => visit.waitUntil(work) })
      for (const charge of due) denials.forget(charge)
      if (refunded instanceof Promise) visit.waitUntil(refunded)
    })
  }

  return {
    policies: compiled as readonly CompiledPolicy[],
    /** Decides a visit, once however often it is asked. Nothing where no policy counts it. */
    ask(visit: Visit): Asked {
      const before = asked.get(visit)
      if (before) return before.decision
      const decision = ask(visit)
      asked.set(visit, { decision })
      return decision
    },
  }
}

const chargeOf = (policy: CompiledPolicy, subject: Subject, visit: Visit) => {
  const { capacity, perMs, limit, cost = 1, lease = 0, leaseMs } = policy
  const wanted = typeof cost === 'function' ? cost(visit) : cost
  const { share, shared, id } = subject
  const base = {
    policy,
    subject: id,
    cost: within(wanted, capacity),
    extra: 0,
    leaseMs,
    capacity: capacity * share,
  }
  // Nobody knows how many the nameless are: they never have more than one caller's limit.
  const strict = (policy.algorithm === 'log' || shared) && limit * share <= MAX_LOG
  return strict
    ? { ...base, algorithm: 'log' as const, periodMs: perMs, lease: 0 }
    : { ...base, algorithm: 'gcra' as const, periodMs: perMs / (limit * share), lease: lease * share }
}

/**
 * How long a denied caller asks nobody. Where a token comes back within milliseconds, every isolate of a flood would ask
 * all the time: a leased limit has them wait a moment longer, far less than the second that the caller is told.
 */
const pauseOf = ({ lease, leaseMs }: LeasedCharge, { retryMs }: Standing): number =>
  lease > 0 ? Math.max(retryMs, leaseMs / 10) : retryMs

/** A cost that could never be paid would be refused for ever. What is no cost at all takes everything. */
const within = (cost: number, capacity: number): number =>
  cost >= 0 ? Math.min(Math.ceil(cost), capacity) : capacity

/** What one instance of several has of a limit. */
const partOf = (charge: PolicyCharge, instances: number): PolicyCharge => {
  const capacity = Math.max(charge.cost, Math.floor(charge.capacity / instances), 1)
  return charge.algorithm === 'log'
    ? { ...charge, capacity }
    : { ...charge, capacity, periodMs: charge.periodMs * instances }
}

const policiesOf = <T extends { policy: CompiledPolicy }>(charges: readonly T[]): T[] =>
  charges.filter(({ policy }, index) => charges.findIndex((other) => other.policy === policy) === index)

const namesOf = (charges: readonly PolicyCharge[]): string[] =>
  policiesOf(charges).map(({ policy }) => policy.name)

/** One for each policy: of several charges the one that leaves least. */
const judgedOf = (
  charges: readonly PolicyCharge[],
  standings: readonly (Standing | undefined)[],
  isViolated: (charge: PolicyCharge, index: number) => boolean,
): Judged[] =>
  policiesOf(charges).map(({ policy }) => {
    const own = charges.flatMap((charge, index) =>
      charge.policy === policy ? [{ standing: standings[index], violated: isViolated(charge, index) }] : [],
    )
    const [tightest] = own.toSorted(
      (a, b) =>
        Number(b.violated) - Number(a.violated) ||
        (a.standing?.remaining ?? Infinity) - (b.standing?.remaining ?? Infinity) ||
        (b.standing?.retryMs ?? 0) - (a.standing?.retryMs ?? 0),
    )
    return { policy, standing: tightest?.standing, violated: own.some(({ violated }) => violated) }
  })
