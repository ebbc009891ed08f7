import type { Switchboard } from './switchboard.ts'
import { endOf, isOpen, type Window } from './switches.ts'

/** The maintenance that keeps the house closed at a moment. */
export interface Maintenance {
  source: 'environment' | 'switch'
  /** Milliseconds since the epoch, or nothing where no end is known. */
  until: number | undefined
  /** What visitors read, where something is to be said. */
  message: string | undefined
  /** Addresses and CIDRs that pass. */
  allow: readonly string[]
  /** Another one for every other maintenance: what was promised for one does not hold for the next. */
  epoch: string
}

/** What the environment says of maintenance, as {@link loadConfig} gives it. */
export interface MaintenanceSettings {
  readonly MAINTENANCE_MODE: boolean
  readonly MAINTENANCE_MESSAGE?: string | undefined
  readonly MAINTENANCE_ALLOWED_IPS?: readonly string[] | undefined
  /** ISO 8601 with its zone. */
  readonly MAINTENANCE_UNTIL?: string | undefined
}

/** How maintenance stands, for operators. */
export interface MaintenanceState {
  active: boolean
  source: Maintenance['source'] | null
  /** ISO 8601, UTC. */
  until: string | null
  message: string | null
  /** Windows of the switch that are not over, and whether each is open. */
  windows: readonly (Window & { open: boolean })[]
  /** Whether the switches could be read, once since the start. */
  known: boolean
}

export interface MaintenanceOptions {
  settings: MaintenanceSettings
  board: Pick<Switchboard, 'windowAt' | 'switches' | 'known'>
  /** Told when a maintenance begins, changes or ends, as far as somebody asks at the time. */
  onChange?: (current: Maintenance | undefined, previous: Maintenance | undefined) => void
}

/**
 * Whether the house is closed, by the environment or else by the switch.
 *
 * @example
 * ```ts
 * const { at } = createMaintenance({ settings: config, board })
 * at(Date.now())?.until
 * ```
 */
export const createMaintenance = ({ settings, board, onChange }: MaintenanceOptions) => {
  const { MAINTENANCE_MODE, MAINTENANCE_MESSAGE: message, MAINTENANCE_ALLOWED_IPS: allow = [] } = settings
  const end = settings.MAINTENANCE_UNTIL === undefined ? undefined : Date.parse(settings.MAINTENANCE_UNTIL)
  const environment: Maintenance | undefined = MAINTENANCE_MODE
    ? {
        source: 'environment',
        until: end,
        message,
        allow,
        epoch: JSON.stringify(['environment', end, message, allow]),
      }
    : undefined

  // One object for one window, so that whoever compiles its addresses does so once.
  let lastWindow: Window | undefined
  let lastSwitched: Maintenance | undefined
  const switched = (now: number): Maintenance | undefined => {
    const window = board.windowAt(now)
    const epoch = board.known ? board.switches.epoch : 'unknown'
    if (window === lastWindow && (window === undefined || lastSwitched?.epoch === epoch)) return lastSwitched
    lastWindow = window
    lastSwitched = window && {
      source: 'switch',
      until: window.until === null ? undefined : endOf(window),
      message: window.message ?? message,
      allow: [...allow, ...window.allow],
      epoch,
    }
    return lastSwitched
  }

  let told: Maintenance | undefined
  let toldAt = Number.NEGATIVE_INFINITY
  const tell = (current: Maintenance | undefined, now: number) => {
    // A visit that came before the end and is asked for after it makes no second maintenance.
    if (current === told || now < toldAt) return
    const previous = told
    told = current
    toldAt = now
    if (current?.epoch !== previous?.epoch) onChange?.(current, previous)
  }

  /** The maintenance at a moment, or nothing while the house is open. */
  const at = (now: number): Maintenance | undefined => {
    const byEnvironment = environment && now < (environment.until ?? Number.POSITIVE_INFINITY)
    const current = byEnvironment ? environment : switched(now)
    tell(current, now)
    return current
  }

  /** How maintenance stands at a moment. */
  const stateAt = (now: number): MaintenanceState => {
    const closed = at(now)
    return {
      active: closed !== undefined,
      source: closed?.source ?? null,
      until: closed?.until === undefined ? null : new Date(closed.until).toISOString(),
      message: closed?.message ?? null,
      windows: board.switches.windows
        .filter((window) => now < endOf(window))
        .map((window) => ({ ...window, open: isOpen(window, now) })),
      known: board.known,
    }
  }

  return { at, stateAt }
}
