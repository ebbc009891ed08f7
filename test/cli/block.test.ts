import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run } from './run.ts'
import { instancePlace, type Place, redisPlace } from './switch-places.ts'

describe.each([
  ['in Redis', redisPlace, 'command'],
  ['through an instance', () => instancePlace(), 'operator'],
])('parapet block %s', (_, open, by) => {
  let place: Place
  beforeAll(async () => {
    place = await open()
  })
  afterAll(() => place.close())
  const block = (...args: string[]) => run(['block', ...args, ...place.options], place.env)
  const patterns = async () =>
    JSON.parse((await block('list', '--json')).out).blocked.map(({ pattern }: { pattern: string }) => pattern)

  test('adds, lists and removes', async () => {
    expect(await block('list')).toMatchObject({ code: 0, out: 'No endpoint is blocked at run time.\n' })
    expect((await block('add', '/api/reports/*')).code).toBe(0)
    const { code, out } = await block('add', '/café')
    expect(code).toBe(0)
    expect(out).toMatch(new RegExp(`^/api/reports/\\* +\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z +${by}$`, 'm'))
    expect(await patterns()).toEqual(['/api/reports/*', '/café'])
    expect((await block('remove', '/API/Reports/*')).code).toBe(0)
    expect((await block('remove', '/CAFÉ/')).code).toBe(0)
    expect(await patterns()).toEqual([])
  })

  test('one that is blocked already is no other one', async () => {
    await block('add', '/twice')
    expect((await block('add', '/Twice/')).code).toBe(0)
    expect(await patterns()).toEqual(['/twice'])
    await block('remove', '/twice')
  })

  test('one that is not blocked cannot be opened: exit 1', async () => {
    const { code, out, err } = await block('remove', '/never')
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toContain('That pattern is not blocked.')
  })

  test.each<[args: string[], said: RegExp]>([
    [[], /action is missing: one of add, remove, list/],
    [['block'], /one of add, remove, list, not "block"/],
    [['add'], /pattern is missing: \/exact, or \/prefix\/\*/],
    [['remove'], /pattern is missing/],
    [['list', '/a'], /no place for "\/a"/],
    [['add', '/a', '/b'], /no place for "\/b"/],
    [['add', 'api'], /pattern must be \/exact or \/prefix\/\*/],
    [['add', '/a*'], /pattern must be/],
    [['add', '/a?b'], /pattern must be/],
    [['add', '/a%20b'], /pattern must be/],
    [['add', ''], /pattern must be/],
    [['add', '/a', '--until', '1h'], /--until/],
  ])('%j is wrong usage: exit 2, says what would be right, and changes nothing', async (args, said) => {
    const before = await place.stored()
    const { code, out, err } = await block(...args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(said)
    expect(err.trimEnd().split('\n')).toHaveLength(1)
    expect(await place.stored()).toBe(before)
  })
})

test('without a place it is bad configuration', async () => {
  expect(await run(['block', 'list'])).toMatchObject({ code: 78, out: '' })
})
