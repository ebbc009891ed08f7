import { expect, it } from 'vitest'
import { createLuaScripts, dropKeyLocking, dropShebang } from '../../bridge/redis/lua-scripts.ts'

it.each([
  ['#!lua flags=allow-key-locking\nreturn 1', '--\nreturn 1'],
  ['#!lua flags=allow-key-locking\r\nreturn 1', '--\r\nreturn 1'],
  ['#!lua flags=allow-key-locking', '--'],
  ['#!lua flags=allow-key-locking,no-writes\nreturn 1', '#!lua flags=no-writes\nreturn 1'],
  ['#!lua flags=no-writes,allow-key-locking,allow-stale\nx', '#!lua flags=no-writes,allow-stale\nx'],
  ['#!lua name=lib flags=allow-key-locking\nx', '#!lua name=lib\nx'],
  ['#!lua  flags=no-writes\nx', '#!lua  flags=no-writes\nx'],
  ['#!lua\nx', '#!lua\nx'],
  ['return 1 #!lua flags=allow-key-locking', 'return 1 #!lua flags=allow-key-locking'],
  ['\n#!lua flags=allow-key-locking', '\n#!lua flags=allow-key-locking'],
  ['', ''],
])('%j becomes %j', (script, expected) => {
  expect(dropKeyLocking(script)).toBe(expected)
})

it('drops a whole shebang', () => {
  expect(dropShebang('#!lua flags=no-writes\nreturn 1')).toBe('--\nreturn 1')
})

it('forgets the oldest script once it knows a thousand others', async () => {
  const { prepare } = createLuaScripts(dropShebang)
  const script = (at: number) => `#!lua\nreturn ${at}`
  const sha = async (text: string) =>
    Buffer.from(await crypto.subtle.digest('SHA-1', new TextEncoder().encode(text))).toString('hex')
  const own = await sha(script(0))
  await prepare(['EVAL', script(0), '0'])
  expect((await prepare(['EVALSHA', own, '0'])).command).toEqual(['EVALSHA', await sha('--\nreturn 0'), '0'])
  for (let at = 1; at <= 1000; at++) await prepare(['EVAL', script(at), '0'])
  expect((await prepare(['EVALSHA', own, '0'])).command).toEqual(['EVALSHA', own, '0'])
})

it('reads scripts given as bytes', async () => {
  const { prepare } = createLuaScripts(dropKeyLocking)
  const bytes = new TextEncoder().encode('#!lua flags=allow-key-locking\nreturn 1')
  expect((await prepare([new TextEncoder().encode('eval'), bytes, '0'])).command[1]).toBe('--\nreturn 1')
})
