import { expect } from 'vitest'
import type { Answer } from './harness.ts'

let newcomers = 0

/** Headers of somebody whom no limit has counted yet, where one proxy is trusted. */
export const newcomer = (): { 'x-forwarded-for': string } => {
  newcomers++
  return { 'x-forwarded-for': `10.${newcomers >> 16}.${(newcomers >> 8) & 255}.${newcomers & 255}` }
}

/** A limit as an answer tells it: `q`, `w` from `RateLimit-Policy`, and where it is known `r`, `t` from `RateLimit`. */
export interface Told {
  q: number
  w: number
  r?: number
  t?: number
}

/** Every one of the headers, each as its own specification has it; by the names of the policies. */
export const limitsOf = (answer: Answer): Record<string, Told> => {
  const policies = listOf(answer.header('ratelimit-policy'), 'q', 'w')
  const limits = listOf(answer.header('ratelimit'), 'r', 't')
  expect(Object.keys(policies)).toEqual(expect.arrayContaining(Object.keys(limits)))
  for (const { w } of Object.values(policies)) expect(w).toBeGreaterThan(0)
  const told: Record<string, Told> = {}
  for (const [name, { q, w }] of Object.entries(policies)) {
    told[name] = { q: q as number, w: w as number, ...limits[name] }
  }
  return told
}

/** A list of strings with two whole numbers each (RFC 9651). */
const listOf = (
  text: string | undefined,
  ...keys: [string, string]
): Record<string, Record<string, number>> => {
  if (text === undefined) return {}
  const items = text.split(', ').map((item) => {
    const [, name, first, second] =
      new RegExp(`^"([\\w-]+)";${keys[0]}=(\\d{1,15});${keys[1]}=(\\d{1,15})$`).exec(item) ?? []
    expect(name, item).toBeDefined()
    return [name as string, { [keys[0]]: Number(first), [keys[1]]: Number(second) }] as const
  })
  expect(new Set(items.map(([name]) => name)).size).toBe(items.length)
  return Object.fromEntries(items)
}

/** What a limited answer tells while the store is there: all of it, and nothing that contradicts itself. */
export const expectTold = (answer: Answer, names: readonly string[]): Record<string, Told> => {
  const told = limitsOf(answer)
  expect(Object.keys(told).sort()).toEqual([...names].sort())
  const numbers = ['limit', 'remaining', 'reset'].map((name) => answer.header(`x-ratelimit-${name}`))
  for (const number of numbers) expect(number).toMatch(/^\d+$/)
  const [limit, remaining, reset] = numbers.map(Number) as [number, number, number]
  const tightest = Object.values(told).find(({ q, r }) => q === limit && r === remaining)
  expect(tightest, JSON.stringify(told)).toBeDefined()
  const inSeconds = reset - Date.now() / 1000
  expect(inSeconds).toBeGreaterThan(-2)
  expect(inSeconds).toBeLessThanOrEqual((tightest?.t ?? 0) + 1)
  return told
}

/** What one tells while the store is away: what holds, and nothing of how it stands. */
export const expectUntold = (answer: Answer, names: readonly string[]): void => {
  expect(Object.keys(limitsOf(answer)).sort()).toEqual([...names].sort())
  expect(answer.header('ratelimit')).toBeUndefined()
  expect(answer.header('x-ratelimit-limit')).toMatch(/^\d+$/)
  expect(answer.header('x-ratelimit-remaining')).toBeUndefined()
  expect(answer.header('x-ratelimit-reset')).toBeUndefined()
}

/** Seconds to wait, as a refusal says it. */
export const waitOf = (answer: Answer): number => {
  expect(answer.header('retry-after')).toMatch(/^[1-9]\d*$/)
  return Number(answer.header('retry-after'))
}
