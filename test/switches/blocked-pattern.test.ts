import { expect, test } from 'vitest'
import { blockedPath } from '../../src/gates/blocked-endpoints.ts'
import { blockedMatcher, canonicalPattern } from '../../src/switches/blocked-pattern.ts'

const DISGUISES = [
  '/api/seed',
  '/api/seed/',
  '/API/SEED',
  '/api/ſeed',
  '/api/ｓｅｅｄ',
  '/api/seed;a=b',
  '/api;v=1/seed',
  '/api/seed.json',
  '/api/seed.json/',
  '/api/seed?a',
  '/api/seed#a',
  '/api/ seed ',
]
const BELOW = ['/api/seed/users', '/api/seed/users/1', '/API/Seed.json/users', '/api/seed;x/users']
const OTHERS = ['/api/seedlings', '/api/see', '/api', '/', '/api/x/seed', '/v1/api/seed', '/api/seed-x']

test('an exact pattern is that path alone, in every disguise', () => {
  const isBlocked = blockedMatcher(['/api/seed'])
  expect(DISGUISES.filter((path) => !isBlocked(path))).toEqual([])
  expect([...BELOW, ...OTHERS].filter(isBlocked)).toEqual([])
})

test('a prefix is that path and everything below, in every disguise', () => {
  for (const isBlocked of [blockedMatcher(['/api/seed/*']), blockedPath(['/api/seed'])]) {
    expect([...DISGUISES, ...BELOW].filter((path) => !isBlocked(path))).toEqual([])
    expect(OTHERS.filter(isBlocked)).toEqual([])
  }
})

test('a pattern may be in disguise itself', () => {
  expect(['/api/seed', '/api/seed/x'].every(blockedMatcher(['/API/Seed/*']))).toBe(true)
})

test('/ is the root, and /* is everything', () => {
  expect(['/', '/a', '/a/b'].map(blockedMatcher(['/']))).toEqual([true, false, false])
  expect(['/', '/a', '/a/b'].map(blockedMatcher(['/*']))).toEqual([true, true, true])
})

test('several patterns of several depths, and none', () => {
  const isBlocked = blockedMatcher(['/a/*', '/b/c/*', '/d', '/e/f/g'])
  expect(['/a', '/a/x', '/b/c/x', '/d', '/e/f/g'].every(isBlocked)).toBe(true)
  expect(['/b', '/b/x', '/d/x', '/e/f', '/e/f/g/h'].some(isBlocked)).toBe(false)
  expect(['/', '/a'].some(blockedMatcher([]))).toBe(false)
})

test.each([
  ['/a', '/a'],
  ['/A/', '/a'],
  ['/A/*', '/a/*'],
  ['/', '/'],
  ['/*', '/*'],
  ['/Café/ｘ', '/café/x'],
])('%s is canonically %s', (pattern, canonical) => {
  expect(canonicalPattern(pattern)).toBe(canonical)
})
