import { expect, test } from 'vitest'
import { equalInConstantTime } from '../../src/config/secrets.ts'

test.each([
  ['same', 'same', true],
  ['same', 'samf', false],
  ['same', 'sam', false],
  ['sam', 'same', false],
  ['', 'same', false],
  ['s\u0000me', 'same', false],
])('%j against %j is %s', (candidate, secret, equal) => {
  expect(equalInConstantTime(candidate, secret)).toBe(equal)
})
