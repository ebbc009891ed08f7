import { expect, test } from 'vitest'
import { createRedactor } from '../src/redact.ts'

const redact = createRedactor({ secrets: ['hunter2hunter2'] })

test.each([
  ['a known secret hunter2hunter2 anywhere', 'a known secret [redacted] anywhere'],
  ['postgres://app:pw@db.example/x', 'postgres://[redacted]@db.example/x'],
  ['Bearer abcdef123456', 'Bearer [redacted]'],
  ['token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln done', 'token [redacted] done'],
  ['key pp_live_abc123_secret', 'key [redacted]'],
  ['/reset?token=abc&x=1', '/reset?token=[redacted]&x=1'],
  ['/x?api_key=abc', '/x?api_key=[redacted]'],
  ['/users/ada@example.com/orders', '/users/[email]/orders'],
  ['/users/ada%40example.com', '/users/[email]'],
  ['from 203.0.113.77 port', 'from 203.0.113.0 port'],
  ['from 2001:db8:1:2:3:4:5:6', 'from 2001:db8:1::'],
  ['call +49 30 1234567 now', 'call [phone] now'],
  [
    '/api/customers/6f9619ff-8b86-4d01-b42d-00cf4fc964ff',
    '/api/customers/6f9619ff-8b86-4d01-b42d-00cf4fc964ff',
  ],
  ['took 45ms at 2026-11-21T11:42:09.251Z', 'took 45ms at 2026-11-21T11:42:09.251Z'],
])('%s', (text, expected) => {
  expect(redact(text)).toBe(expected)
})

test('personal data stay where redaction of them is off; secrets never do', () => {
  const plain = createRedactor({ secrets: ['hunter2hunter2'], pii: false })
  expect(plain('ada@example.com 203.0.113.77 hunter2hunter2')).toBe('ada@example.com 203.0.113.77 [redacted]')
})
