import type { Config } from './config/config.ts'
import { createBypassCookie } from './gates/bypass-cookie.ts'
import type { Trust } from './gates/client-address.ts'
import type { Visit } from './gates/gate.ts'
import { maintenance } from './gates/maintenance.ts'
import type { Fields, Log } from './log.ts'
import type { Services } from './services.ts'
import { switchResources } from './surface/switch-resources.ts'
import { createMaintenance, type Maintenance } from './switches/maintenance.ts'
import { createSwitchboard } from './switches/switchboard.ts'
import type { Switches } from './switches/switches.ts'

export interface MaintenanceOptions {
  /**
   * What holds while the switches could not be read, not once since the start of this instance: the house is `open`
   * (default), or it stays `closed` until they could.
   */
  whenUnknown?: 'open' | 'closed'
  /** Readiness is 503 while the house is closed. By default it stays 200, so that visitors get to read why. */
  unready?: boolean
}

interface Wiring {
  config: Config
  services: Pick<Services, 'redis' | 'store' | 'riders'>
  trust: Trust
  log: Log
  options: MaintenanceOptions | undefined
  clock: () => number
}

/** The switches of an app: what keeps them, the gate that obeys them, and what operators flip them with. */
export const wireSwitches = ({ config, services, trust, log, options = {}, clock }: Wiring) => {
  const board = createSwitchboard({
    store: services.store,
    remote: services.redis !== undefined,
    whenUnknown: options.whenUnknown ?? 'open',
    clock,
    onChange(current, previous) {
      const blocked = patternsOf(current)
      if (blocked.join() !== patternsOf(previous).join()) {
        log.write('info', 'system', 'blocked endpoints changed', { blocked })
      }
    },
    onUnreadable: (why) => log.write('warn', 'system', UNREADABLE[why]),
  })
  services.riders.push(board)

  const state = createMaintenance({
    settings: config,
    board,
    onChange(current, previous) {
      const what = current ? (previous ? 'changed' : 'began') : 'ended'
      log.write('info', 'system', `maintenance ${what}`, { ...(current && described(current)) })
    },
  })
  const { MAINTENANCE_MODE, MAINTENANCE_UNTIL } = config
  if (MAINTENANCE_MODE && MAINTENANCE_UNTIL && Date.parse(MAINTENANCE_UNTIL) <= clock()) {
    log.write('warn', 'config', 'MAINTENANCE_UNTIL is in the past: MAINTENANCE_MODE closes nothing')
  }

  const token = config.INTERNAL_API_KEY
  const bypass = token === undefined ? undefined : createBypassCookie(token)
  const audit = (change: string, details: Fields, { correlationId, trace }: Visit) =>
    log.write('info', 'audit', change, { ...details, correlationId, traceId: trace.traceId })

  const gate = maintenance({ at: state.at, address: trust.proven, bypass })
  return {
    board,
    maintenance: gate,
    /** Whether maintenance refuses a visit as far as is known. What is not known yet refuses nobody here. */
    isRefused(visit: Visit): boolean | Promise<boolean> {
      if (!board.known && !MAINTENANCE_MODE) return false
      const outcome = gate(visit)
      return outcome instanceof Promise
        ? outcome.then((settled) => settled !== undefined)
        : outcome !== undefined
    },
    resources: switchResources({ board, maintenance: state, bypass, audit, clock }),
    /** Whether the house is closed now, where that makes it unready. */
    isClosed: options.unready
      ? (visit: Visit) => {
          // A probe waits for nobody: what is known last holds, and the next one knows better.
          visit.waitUntil(board.refresh())
          return state.at(clock()) !== undefined
        }
      : undefined,
  }
}

const patternsOf = ({ blocked }: Switches) => blocked.map(({ pattern }) => pattern)

const UNREADABLE = {
  away: 'the switches cannot be read: the last known ones stand',
  garbage: 'what is stored as switches is no such document: the last known ones stand',
}

const described = ({ source, until, message }: Maintenance): Fields => ({
  source,
  until: until === undefined ? null : new Date(until).toISOString(),
  message,
})
