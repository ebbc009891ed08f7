import { expect, test } from 'vitest'
import { hashedKeys } from '../../src/limits/keys.ts'

test('a key is the same on every instance with the same secret, and tells nobody whom it stands for', async () => {
  const key = await hashedKeys('a secret')('parapet:gcra:api', 'ip\n203.0.113.9')
  expect(key).toMatch(/^parapet:gcra:api:[0-9a-f]{32}$/)
  expect(await hashedKeys('a secret')('parapet:gcra:api', 'ip\n203.0.113.9')).toBe(key)
  expect(await hashedKeys('another')('parapet:gcra:api', 'ip\n203.0.113.9')).not.toBe(key)
  expect(key).not.toContain('203')
})

test('what differs in any part has another key', async () => {
  const keys = hashedKeys('a secret')
  const all = await Promise.all(
    [
      ['parapet:gcra:api', 'ip\n203.0.113.9'],
      ['parapet:gcra:api', 'ip\n203.0.113.90'],
      ['parapet:gcra:api', 'user\n203.0.113.9'],
      ['parapet:gcra:ap', 'i\nip\n203.0.113.9'],
      ['parapet:log60000:api', 'ip\n203.0.113.9'],
    ].map(([prefix, identifier]) => keys(prefix as string, identifier as string)),
  )
  expect(new Set(all.map((key) => key.split(':').at(-1))).size).toBe(all.length)
})

test('what is known is there at once', async () => {
  const keys = hashedKeys('a secret')
  const first = keys('p', 'i')
  expect(first).toBeInstanceOf(Promise)
  expect(keys('p', 'i')).toBeInstanceOf(Promise)
  expect(keys('p', 'i')).not.toBe(first)
  const known = await first
  expect(keys('p', 'i')).toBe(known)
})
