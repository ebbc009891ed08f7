import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

interface Row {
  pid: number
  parent: number
  zombie: boolean
}

/** Every process of this machine; a zombie has ended and only waits to be counted. */
function all(): Row[] {
  if (existsSync('/proc/self/stat')) return readdirSync('/proc').flatMap(fromProc)
  const listing = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' })
  return listing
    .trim()
    .split('\n')
    .map((line) => {
      const [pid, parent, state = ''] = line.trim().split(/ +/)
      return { pid: Number(pid), parent: Number(parent), zombie: state.startsWith('Z') }
    })
}

function fromProc(name: string): Row[] {
  if (!/^\d+$/.test(name)) return []
  try {
    const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return [{ pid: Number(name), parent: Number(parent), zombie: state === 'Z' || state === 'X' }]
  } catch {
    return []
  }
}

/** A process and all that it started, directly or not. */
export function family(pid: number): number[] {
  const rows = all()
  const found = [pid]
  for (const one of found) found.push(...rows.filter(({ parent }) => parent === one).map((row) => row.pid))
  return found
}

/** Those of the processes that still run after the time has passed, or nothing as soon as all have ended. */
export async function survivors(pids: readonly number[], ms: number): Promise<number[]> {
  const deadline = Date.now() + ms
  for (;;) {
    const running = new Set(all().flatMap(({ pid, zombie }) => (zombie ? [] : [pid])))
    const left = pids.filter((pid) => running.has(pid))
    if (left.length === 0 || Date.now() > deadline) return left
    await pause(50)
  }
}
