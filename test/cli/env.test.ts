import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { exampleFile } from '../../cli/env.ts'
import { COMMANDS } from '../../cli/main.ts'
import { VARIABLES } from '../../src/config/variables.ts'
import { run } from './run.ts'

test('parapet env lists every variable and no value', async () => {
  const canary = 'CANARY-19d2'
  const { code, out, err } = await run(
    ['env'],
    Object.fromEntries(Object.keys(VARIABLES).map((name) => [name, canary])),
  )
  for (const name of Object.keys(VARIABLES)) expect(out).toContain(name)
  expect(out + err).not.toContain(canary)
  expect(err).toContain('[env-validation] FATAL DATABASE_URL')
  expect(code).toBe(78)
})

test('parapet env --json is data', async () => {
  const { code, out } = await run(['env', '--json', '--env', 'development'], { PORT: '8080' })
  const { environment, variables } = JSON.parse(out)
  expect(environment).toBe('development')
  expect(variables.find(({ name }: { name: string }) => name === 'PORT')).toMatchObject({
    set: true,
    valid: true,
    default: '5000',
  })
  expect(code).toBe(0)
})

test.each([
  [['env', '--env', 'prod'], '--env must be one of'],
  [['env', '--nope'], '--nope'],
  [['env', 'extra'], 'extra'],
  [['nope'], 'nope'],
  [['bridge', '--port', 'x'], '--port must be'],
  [['bridge', '--host', '0.0.0.0'], '--token-variable'],
])('%j is wrong usage: exit 2, and says what', async (args, said) => {
  const { code, out, err } = await run(args)
  expect(code).toBe(2)
  expect(out).toBe('')
  expect(err).toContain(said)
  expect(err.trimEnd().split('\n')).toHaveLength(1)
})

test('parapet bridge without anything to bridge is bad configuration', async () => {
  expect(await run(['bridge'])).toMatchObject({ code: 78, out: '' })
})

test('help names every command', async () => {
  const { code, out } = await run(['help'])
  for (const { name, summary } of COMMANDS) expect(out).toMatch(new RegExp(`^ +${name} +${summary}$`, 'm'))
  expect(code).toBe(0)
})

test('.env.example is the one that the schema makes', () => {
  expect(readFileSync(new URL('../../.env.example', import.meta.url), 'utf8')).toBe(exampleFile())
})
