import type { MaintenanceState } from '../src/switches/maintenance.ts'
import type { Blocked } from '../src/switches/switches.ts'

/** A maintenance as it is typed, checked already. */
export interface TypedWindow {
  message?: string | undefined
  from?: string | undefined
  until?: string | undefined
  allow?: readonly string[] | undefined
}

/**
 * Where switches are flipped. Everything gives the state of afterwards.
 *
 * @throws {@link CommandFailure} where it cannot be done
 */
export interface SwitchTarget {
  state(): Promise<MaintenanceState>
  on(window: TypedWindow): Promise<MaintenanceState>
  off(all: boolean): Promise<MaintenanceState>
  blocks(): Promise<readonly Blocked[]>
  block(pattern: string): Promise<readonly Blocked[]>
  unblock(pattern: string): Promise<readonly Blocked[]>
  close(): Promise<void>
}
