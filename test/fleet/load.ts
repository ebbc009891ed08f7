import type { Answer, Server } from '../contract/harness.ts'
import { newcomer } from '../contract/limit-headers.ts'

/** One answer under load. Times in milliseconds of this process' monotonic clock. */
export interface Sample {
  server: Server
  begun: number
  took: number
  answer: Answer
}

export interface Load {
  /** What was begun since a moment, in the order in which it was. */
  since(from: number): readonly Sample[]
  /** Resolves once everything is answered. */
  stop(): Promise<void>
}

const PACE_MS = 20

/** Asks every server every few milliseconds, each time as somebody else, and waits for no answer before it goes on. */
export const startLoad = (servers: readonly Server[], path: string): Load => {
  const samples: Sample[] = []
  const pending = new Set<Promise<void>>()
  const ask = async (server: Server) => {
    const begun = performance.now()
    const answer = await server.ask(path, { headers: newcomer() })
    samples.push({ server, begun, took: performance.now() - begun, answer })
  }
  const timer = setInterval(() => {
    for (const server of servers) {
      const asked = ask(server).finally(() => pending.delete(asked))
      pending.add(asked)
    }
  }, PACE_MS)
  return {
    since: (from) => samples.filter(({ begun }) => begun >= from).sort((a, b) => a.begun - b.begun),
    async stop() {
      clearInterval(timer)
      await Promise.all(pending)
    },
  }
}

export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds))
