import { AppError } from '../errors.ts'
import type { Rider, Store } from '../store/store.ts'
import { blockedMatcher } from './blocked-pattern.ts'
import {
  NO_SWITCHES,
  openWindow,
  parseSwitches,
  SWITCHES_KEY,
  type Switches,
  type Window,
} from './switches.ts'

/** Milliseconds for which a document is good, from the moment at which it was asked for. */
const FRESH_MS = 5000
/** Milliseconds after which nobody counts on an answer any more: whoever asked may have died with its request. */
const LAPSED_MS = 200
const POLL_MS = 5
const ATTEMPTS = 5

export interface SwitchboardOptions {
  store: Pick<Store, 'read' | 'swap'>
  /** Other instances share the store. Otherwise the document is that of this process, and always fresh. */
  remote: boolean
  /** Milliseconds since the epoch. */
  clock?: () => number
  /** What holds as long as no document could be read, not once since the start. Default `open`. */
  whenUnknown?: 'open' | 'closed'
  /** Told once of every other document. */
  onChange?: (switches: Switches, previous: Switches) => void
  /** Told once when the document can be read no more: the store is `away`, or what it holds is `garbage`. */
  onUnreadable?: (why: 'away' | 'garbage') => void
}

/** The switches as this isolate knows them. */
export interface Switchboard extends Rider {
  /** Whether a request that began at `now` must not be judged by what is known. */
  isStale(now: number): boolean
  /**
   * Whether it is the turn of a request that began at `now` to ask: the document is stale, nobody is asking at the
   * moment, and no read has failed since.
   */
  isDue(now: number): boolean
  /** Waits for whoever is asking: until there is an answer, or none can be counted on. Then look again, once. */
  settled(): Promise<void>
  /** Reads the document if it is stale, by a request of its own. */
  refresh(): Promise<void>
  /**
   * Changes the document for everybody, and here at once.
   *
   * @throws {@link AppError} `SWITCHES_UNAVAILABLE`, and whatever `edit` throws
   */
  update(edit: (switches: Switches) => Switches): Promise<Switches>
  isBlocked(path: string): boolean
  /** The maintenance that is open at a moment. */
  windowAt(now: number): Window | undefined
  /** The last document that could be read. */
  readonly switches: Switches
  /** Whether one could be read, once since the start. */
  readonly known: boolean
}

/** A read that was sent, and what was known then. */
interface Ask {
  at: number
  version: number
}

/** What stands in for the document where the house is to be closed until one could be read. */
const UNKNOWN: Window = {
  id: 'unknown',
  from: new Date(0).toISOString(),
  until: null,
  message: null,
  allow: [],
  by: 'parapet',
}

/**
 * Makes the one place where an isolate keeps the switches. It reads them at most once in five seconds, as a rider of
 * a request that is sent anyway. A read that fails, and a text that is no document, change nothing.
 *
 * Requests share plain data here and never a promise, which Workers do not allow.
 */
export const createSwitchboard = ({
  store,
  remote,
  clock = Date.now,
  whenUnknown = 'open',
  onChange,
  onUnreadable,
}: SwitchboardOptions): Switchboard => {
  let switches = NO_SWITCHES
  let text: string | null = null
  let isBlocked = blockedMatcher([])
  let known = !remote
  let unreadable = false
  /** When the answer that was taken in last was asked for. */
  let readAt: number | undefined
  let asked: Ask | undefined
  /** When it was last heard that no answer comes. Who was there by then need not find out again. */
  let failedAt = Number.NEGATIVE_INFINITY
  /** Counts what was taken in, so that an answer that was overtaken on its way is known for one. */
  let version = 0

  // A clock that was set back makes a document no fresher, and an answer no more expected.
  const isOlder = (at: number | undefined, now: number, age: number): boolean =>
    at === undefined || Math.abs(now - at) >= age
  const isStale = (now: number): boolean => remote && isOlder(readAt, now, FRESH_MS)
  const hasFailedSince = (now: number): boolean => failedAt >= now && failedAt - now < LAPSED_MS
  const isAsking = (now: number): boolean => !isOlder(asked?.at, Math.max(now, clock()), LAPSED_MS)

  const complain = (why: 'away' | 'garbage') => {
    if (!unreadable) onUnreadable?.(why)
    unreadable = true
  }

  const read = (answer: unknown): Switches | undefined => {
    if (known && answer === text) return switches
    return typeof answer === 'string' || answer === null ? parseSwitches(answer) : undefined
  }

  /** Takes in what was answered: a text, `null` where there is none, `undefined` where no answer came. */
  const take = (answer: unknown, ask: Ask) => {
    if (ask.version !== version) return
    if (answer === undefined) {
      failedAt = clock()
      return complain('away')
    }
    version++
    // What cannot be read is not read sooner by asking again at once.
    readAt = ask.at
    const next = read(answer)
    if (next === undefined) return complain('garbage')
    const previous = switches
    unreadable = false
    known = true
    text = answer as string | null
    if (next === previous) return
    switches = next
    isBlocked = blockedMatcher(next.blocked.map(({ pattern }) => pattern))
    onChange?.(next, previous)
  }

  const settled = async (): Promise<void> => {
    for (let waited = 0; waited < LAPSED_MS && isAsking(clock()); waited += POLL_MS) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }

  return {
    isStale,
    isDue: (now) => isStale(now) && !isAsking(now) && !hasFailedSince(now),
    settled,

    board() {
      const at = clock()
      if (!isStale(at) || isAsking(at)) return undefined
      const ask = { at, version }
      asked = ask
      return {
        commands: [['GET', SWITCHES_KEY]],
        arrive(replies) {
          if (asked === ask) asked = undefined
          const reply = replies?.[0]
          take(reply && ('result' in reply ? reply.result : reply), ask)
        },
      }
    },

    async refresh() {
      const now = clock()
      if (isStale(now) && isAsking(now)) await settled()
      if (!isStale(now)) return
      const ask = { at: now, version }
      asked = ask
      const answer = await store.read(SWITCHES_KEY)
      if (asked === ask) asked = undefined
      take(answer, ask)
    },

    async update(edit) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const at = clock()
        const previous = await store.read(SWITCHES_KEY)
        if (previous === undefined) throw unavailable()
        const document = parseSwitches(previous)
        if (!document) throw unavailable(NO_DOCUMENT)
        const next = edit(document)
        const written = next === document ? previous : JSON.stringify(next)
        if (!parseSwitches(written)) throw new TypeError('The edit left no document of switches.')
        const swapped = written === previous || (await store.swap(SWITCHES_KEY, previous, written as string))
        if (swapped === undefined) throw unavailable(NOT_KNOWN)
        if (!swapped) continue
        version++
        take(written, { at, version })
        return switches
      }
      throw unavailable(OVERTAKEN)
    },

    isBlocked: (path) => isBlocked(path),
    windowAt: (now) => (known || whenUnknown === 'open' ? openWindow(switches, now) : UNKNOWN),
    get switches() {
      return switches
    },
    get known() {
      return known
    },
  }
}

const NO_DOCUMENT = `What is stored as ${SWITCHES_KEY} is no document of switches. Delete it to begin anew.`
const NOT_KNOWN = 'It is not known whether the change was stored. Look before you repeat it.'
const OVERTAKEN = 'Others keep changing the switches at the same time. They stand as those left them.'

const unavailable = (detail?: string) =>
  new AppError('SWITCHES_UNAVAILABLE', { detail, headers: { 'Retry-After': '5' } })
