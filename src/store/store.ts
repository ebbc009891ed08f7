/**
 * What is kept outside of a request: how much of each limit is used, and the switches.
 * One contract, two stores: Redis over REST for a fleet, this process alone without one.
 */
export interface Store {
  /**
   * Charges all of these or none, in one step. Over Redis this is one request, and riders go along.
   * `undefined` where the store is away, which it says within its deadline. Never rejects.
   */
  charge(charges: readonly Charge[], context: StoreContext): Maybe<Verdict>
  /** Gives back what was charged. A store that is away gives nothing back. */
  refund(charges: readonly Charge[], context: StoreContext): Maybe<void>
  /** Puts `next` in place of `previous`, unless somebody else was faster. `undefined` where the store is away. */
  swap(key: string, previous: string | null, next: string): Maybe<boolean | undefined>
  /** The text under a key, `null` where there is none, `undefined` where the store is away. */
  read(key: string): Maybe<string | null | undefined>
}

/** At once where the store is in this process, later where it is not. */
export type Maybe<T> = T | undefined | Promise<T | undefined>

export interface StoreContext {
  /** Milliseconds since the epoch. */
  now: number
  /** Work that may go on after the answer. */
  waitUntil(work: Promise<unknown>): void
  /** Ends the work when it is aborted. */
  signal?: AbortSignal
}

/** What one request takes from one limit. */
export interface Charge {
  /** Whose limit it is. Different callers and policies have different keys. */
  key: string
  /**
   * `gcra`: `capacity` tokens at most, a new one every `periodMs`.
   * `log`: never more than `capacity` in any `periodMs`.
   */
  algorithm: 'gcra' | 'log'
  capacity: number
  /** Milliseconds; a fraction is fine for `gcra`. */
  periodMs: number
  /** Tokens. Zero looks without taking. */
  cost: number
  /** Tokens to take beyond the cost if they are there, to be spent later. `gcra` only. */
  extra?: number
}

/** How a limit stands after a charge was decided. */
export interface Standing {
  /** Whether this limit had room. All of them must for any to be charged. */
  allowed: boolean
  /** Whole tokens left. */
  remaining: number
  /** Milliseconds until nothing is used any more. */
  resetMs: number
  /** Milliseconds until the same charge would be allowed, 0 where it is. */
  retryMs: number
  /** Tokens taken, the extra ones included. 0 where any limit had no room. */
  taken: number
}

export interface Verdict {
  allowed: boolean
  /** One for each charge, in their order. */
  standings: readonly Standing[]
}

/** One Redis command, as REST takes it. */
export type Command = readonly (string | number)[]

/** What came back for a command. */
export type Reply = { result: unknown } | { error: string }

/** Commands that go along with the next request to Redis and cost none of their own. */
export interface Rider {
  /** What to send now, if anything. Called for every request that is sent. */
  board(): Boarding | undefined
}

export interface Boarding {
  commands: readonly Command[]
  /** Called once: with the replies in the order of the commands, or nothing where no answer came. */
  arrive(replies: readonly Reply[] | undefined): void
}
