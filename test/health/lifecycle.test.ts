import { expect, test } from 'vitest'
import { createLifecycle } from '../../src/health/lifecycle.ts'

const after = (...steps: ('open' | 'open badly' | 'drain')[]) => {
  const { phase, open, drain } = createLifecycle()
  for (const step of steps) step === 'drain' ? drain() : open(step === 'open' ? 0 : 1)
  return phase()
}

test.each([
  [[], 'starting'],
  [['open'], 'ready'],
  [['open badly'], 'degraded'],
  [['open', 'drain'], 'draining'],
  [['open', 'drain', 'open'], 'draining'],
  // What was never open has nothing to drain, and stays closed.
  [['drain'], 'starting'],
  [['drain', 'open'], 'draining'],
  [['drain', 'open badly'], 'degraded'],
  [['open badly', 'drain'], 'degraded'],
  [['open badly', 'open'], 'degraded'],
] as const)('after %j it is %s', (steps, phase) => {
  expect(after(...steps)).toBe(phase)
})
