import { AppError } from '../src/errors.ts'
import { CheckFailure, type FailureCode, transportFailure } from '../src/health/failure.ts'
import { createPipeline } from '../src/store/redis-pipeline.ts'
import { createRedisStore } from '../src/store/redis-store.ts'
import { createMaintenance } from '../src/switches/maintenance.ts'
import { windowInput } from '../src/switches/switch-input.ts'
import { createSwitchboard } from '../src/switches/switchboard.ts'
import {
  type Switches,
  withBlocked,
  withoutBlocked,
  withoutWindows,
  withWindow,
} from '../src/switches/switches.ts'
import { CommandFailure } from './command.ts'
import type { SwitchTarget } from './switch-target.ts'

/** Milliseconds: a first connection to a Redis far away, and no more. */
const TIMEOUT_MS = 3000

export interface SwitchesInRedisOptions {
  /** Where Upstash's REST is spoken. */
  url: string
  token: string
  close?: () => Promise<void>
}

/** Flips switches in Redis itself, by the same board that an instance has. */
export const switchesInRedis = ({
  url,
  token,
  close = async () => {},
}: SwitchesInRedisOptions): SwitchTarget => {
  const send = createPipeline({ url, token })
  const store = createRedisStore({ send, timeoutMs: TIMEOUT_MS, operatorTimeoutMs: TIMEOUT_MS })
  let reason: FailureCode | undefined
  let isGarbage = false
  const tried = async <T>(work: T | Promise<T>): Promise<T | undefined> => {
    try {
      return await work
    } catch (thrown) {
      reason = thrown instanceof CheckFailure ? thrown.failure : transportFailure(thrown)
      return undefined
    }
  }
  const board = createSwitchboard({
    store: { read: (key) => tried(store.read(key)), swap: (...args) => tried(store.swap(...args)) },
    remote: true,
    onUnreadable: (why) => {
      isGarbage = why === 'garbage'
    },
  })
  const maintenance = createMaintenance({ settings: { MAINTENANCE_MODE: false }, board })

  const change = async (edit: (switches: Switches) => Switches): Promise<void> => {
    try {
      await board.update(edit)
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown
      throw new CommandFailure(reason ? `${thrown.message} ${explain(reason)}` : thrown.message)
    }
  }
  const look = async (): Promise<void> => {
    await board.refresh()
    if (isGarbage) throw new CommandFailure('What is stored as switches is no such document.')
    if (reason) throw new CommandFailure(`The switches cannot be read. ${explain(reason)}`)
  }
  const state = () => maintenance.stateAt(Date.now())

  return {
    async state() {
      await look()
      return state()
    },
    async on(window) {
      const now = Date.now()
      const request = windowInput(now).parse(window)
      await change((switches) => withWindow(switches, request, 'command', now))
      return state()
    },
    async off(all) {
      await change((switches) => withoutWindows(switches, Date.now(), { all }))
      return state()
    },
    async blocks() {
      await look()
      return board.switches.blocked
    },
    async block(pattern) {
      await change((switches) => withBlocked(switches, pattern, 'command', Date.now()))
      return board.switches.blocked
    },
    async unblock(pattern) {
      await change((switches) => withoutBlocked(switches, pattern))
      return board.switches.blocked
    },
    close,
  }
}

const explain = (code: FailureCode): string => REASONS[code] ?? `Redis cannot be used (${code}).`

const REASONS: Partial<Record<FailureCode, string>> = {
  timeout: 'Redis does not answer.',
  refused: 'Redis refuses the connection.',
  auth: 'Redis does not accept the credentials.',
  dns: 'The name of the Redis host cannot be resolved.',
  bad_response: 'Redis gives no proper answer: check its address and credentials.',
}
