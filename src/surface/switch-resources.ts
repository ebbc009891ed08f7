import * as z from 'zod'
import type { BypassCookie } from '../gates/bypass-cookie.ts'
import type { Visit } from '../gates/gate.ts'
import type { Fields } from '../log.ts'
import type { createMaintenance } from '../switches/maintenance.ts'
import { blockInput, windowInput } from '../switches/switch-input.ts'
import type { Switchboard } from '../switches/switchboard.ts'
import {
  type Switches,
  withBlocked,
  withoutBlocked,
  withoutWindows,
  withWindow,
} from '../switches/switches.ts'
import { readBody, readQuery } from './read-input.ts'
import { type Handlers, json } from './resource.ts'

export interface SwitchResourcesOptions {
  board: Switchboard
  maintenance: ReturnType<typeof createMaintenance>
  /** Without an operator token there is nobody to give a cookie to. */
  bypass: BypassCookie | undefined
  /** Told of every change: who made it and what it is. */
  audit: (change: string, details: Fields, visit: Visit) => void
  /** Milliseconds since the epoch. */
  clock: () => number
}

const allQuery = z.strictObject(
  { all: z.enum(['true', 'false'], { error: 'must be true or false' }).default('false') },
  { error: 'must hold nothing but all' },
)

/** The switches for operators: maintenance, the way past it, and endpoints blocked at run time. */
export const switchResources = ({ board, maintenance, bypass, audit, clock }: SwitchResourcesOptions) => {
  const state = () => json(200, maintenance.stateAt(clock()))
  const blocks = () => json(200, { blocked: board.switches.blocked, known: board.known })
  const by = (visit: Visit) => ({ by: visit.principal?.id ?? 'operator' })
  /** Whether the edit changed anything. */
  const change = async (edit: (switches: Switches) => Switches): Promise<boolean> => {
    let changed = false
    await board.update((switches) => {
      const next = edit(switches)
      changed = next !== switches
      return next
    })
    return changed
  }

  return {
    maintenance: {
      access: 'operator',
      methods: {
        async GET() {
          await board.refresh()
          return state()
        },

        async PUT(visit) {
          const request = await readBody(visit, windowInput(clock()))
          await change((switches) => withWindow(switches, request, 'operator', clock()))
          const { from, until, message, allow } = request
          audit(
            from === null ? 'maintenance on' : 'maintenance scheduled',
            { ...by(visit), from: isoOf(from), until: isoOf(until), message, allowed: allow.length },
            visit,
          )
          return state()
        },

        async DELETE(visit) {
          const all = readQuery(visit, allQuery).all === 'true'
          if (await change((switches) => withoutWindows(switches, clock(), { all }))) {
            audit('maintenance off', { ...by(visit), all }, visit)
          }
          return state()
        },
      },
    },

    bypass: {
      access: 'operator',
      methods: {
        async POST(visit) {
          await board.refresh()
          const current = maintenance.at(clock())
          if (!current) return { code: 'CONFLICT', detail: 'The house is open: there is nothing to bypass.' }
          if (!bypass) return { code: 'UNAUTHORIZED' }
          const { header, expires } = await bypass.issue(current, clock())
          const expiry = new Date(expires).toISOString()
          audit('maintenance bypass', { ...by(visit), expires: expiry }, visit)
          return json(200, { expires: expiry }, { 'Set-Cookie': header })
        },
      },
    },

    blocks: {
      access: 'operator',
      methods: {
        async GET() {
          await board.refresh()
          return blocks()
        },

        async POST(visit) {
          const { pattern } = await readBody(visit, blockInput)
          if (await change((switches) => withBlocked(switches, pattern, 'operator', clock()))) {
            audit('endpoint blocked', { ...by(visit), pattern }, visit)
          }
          return blocks()
        },

        async DELETE(visit) {
          const { pattern } = readQuery(visit, blockInput)
          await change((switches) => withoutBlocked(switches, pattern))
          audit('endpoint unblocked', { ...by(visit), pattern }, visit)
          return blocks()
        },
      },
    },
  } satisfies Record<string, Handlers>
}

const isoOf = (time: number | null): string | null => (time === null ? null : new Date(time).toISOString())
