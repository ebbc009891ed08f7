import { main } from '../../cli/main.ts'

/** Runs a command in this process, and gives what it wrote and how it ended. */
export const run = async (args: readonly string[], env: Record<string, string | undefined> = {}) => {
  const out: string[] = []
  const err: string[] = []
  const code = await main(args, {
    env,
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
  })
  return { code, out: out.join(''), err: err.join('') }
}
