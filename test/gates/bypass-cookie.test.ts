import { createHmac, hkdfSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createBypassCookie } from '../../src/gates/bypass-cookie.ts'

const NOON = Date.parse('2030-01-31T12:00:00Z')
const HOUR = 3_600_000
const NAME = '__Host-parapet-bypass'
const TOKEN = 'op_9fK2mQ7xW4vB8nT1sL6yR3uJ5hG0pD'
const WORKS = { epoch: 'one', until: undefined }

const bypass = createBypassCookie(TOKEN)
const issue = async (occasion: { epoch: string; until: number | undefined } = WORKS, now = NOON) => {
  const { header, expires } = await bypass.issue(occasion, now)
  return { header, expires, pair: header.split(';', 1)[0] as string }
}
const admits = (cookie: string | undefined, { epoch = 'one', now = NOON, by = bypass } = {}) =>
  by.admits({ now, header: (name) => (name === 'cookie' ? cookie : undefined) }, { epoch, until: undefined })

describe('a cookie', () => {
  test('is for this host alone, for no script, and for no plain connection', async () => {
    const { header } = await issue()
    expect(header).toMatch(
      /^__Host-parapet-bypass=v1\.\d+\.[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    )
  })

  test('is a MAC over its expiry and the epoch, by a key of its own', async () => {
    const { pair } = await issue()
    const expiry = NOON / 1000 + 12 * 3600
    const key = hkdfSync('sha256', TOKEN, '', 'parapet bypass cookie v1', 32)
    const mac = createHmac('sha256', new Uint8Array(key)).update(`v1.${expiry}.one`).digest('base64url')
    expect(pair).toBe(`${NAME}=v1.${expiry}.${mac}`)
  })

  test('lasts twelve hours, and never longer than the maintenance', async () => {
    expect((await issue()).expires).toBe(NOON + 12 * HOUR)
    const short = await issue({ epoch: 'one', until: NOON + HOUR + 999 })
    expect(short.expires).toBe(NOON + HOUR)
    expect(short.header).toContain('Max-Age=3600;')
    expect((await issue({ epoch: 'one', until: NOON + 24 * HOUR })).expires).toBe(NOON + 12 * HOUR)
    expect((await issue({ epoch: 'one', until: NOON - HOUR })).header).toContain('Max-Age=0;')
  })

  test('admits until it expires', async () => {
    const { pair } = await issue()
    expect(await admits(pair)).toBe(true)
    expect(await admits(`a=b; ${pair}; c=d`)).toBe(true)
    expect(await admits(pair, { now: NOON + 12 * HOUR - 1 })).toBe(true)
    expect(await admits(pair, { now: NOON + 12 * HOUR })).toBe(false)
  })

  test('admits to no other maintenance, and by no other token', async () => {
    const { pair } = await issue()
    expect(await admits(pair, { epoch: 'two' })).toBe(false)
    expect(await admits(pair, { epoch: '' })).toBe(false)
    expect(await admits(pair, { by: createBypassCookie(`${TOKEN}x`) })).toBe(false)
  })
})

describe('what admits nobody', async () => {
  const { pair } = await issue()
  const value = pair.slice(NAME.length + 1)
  const [, expiry, mac] = value.split('.') as [string, string, string]
  const other = (await issue(WORKS, NOON + 1000)).pair
  const lastTwin = 'AEIMQUYcgkosw048'.includes(mac.at(-1) as string)
    ? String.fromCharCode((mac.at(-1) as string).charCodeAt(0) + 1)
    : 'B'

  test.each<[what: string, cookie: string | undefined]>([
    ['no cookie', undefined],
    ['an empty header', ''],
    ['other cookies', 'a=b; session=1'],
    ['an empty one', `${NAME}=`],
    ['a name alone', NAME],
    ['garbage', `${NAME}=garbage`],
    ['true', `${NAME}=true`],
    ['the operator token itself', `${NAME}=${TOKEN}`],
    ['another version', `${NAME}=v2.${expiry}.${mac}`],
    ['a later expiry', `${NAME}=v1.${Number(expiry) + 1}.${mac}`],
    ['an expiry in other words', `${NAME}=v1.0${expiry}.${mac}`],
    ['a negative expiry', `${NAME}=v1.-${expiry}.${mac}`],
    ['an endless expiry', `${NAME}=v1.999999999999.${mac}`],
    ['no expiry', `${NAME}=v1..${mac}`],
    ['no MAC', `${NAME}=v1.${expiry}.`],
    ['a short MAC', `${NAME}=v1.${expiry}.${mac.slice(1)}`],
    ['a long MAC', `${NAME}=v1.${expiry}.${mac}A`],
    ['padding', `${NAME}=v1.${expiry}.${mac}=`],
    ['another MAC', `${NAME}=v1.${expiry}.${'A'.repeat(43)}`],
    ['another spelling of the same MAC', `${NAME}=v1.${expiry}.${mac.slice(0, -1)}${lastTwin}`],
    ['quotes', `${NAME}="${value}"`],
    ['two of them', `${pair}; ${other}`],
    ['two of them, the same', `${pair}; ${pair}`],
    ['two of them, joined by a comma', `${pair}, ${pair}`],
    ['a good one and a bad one', `${pair}; ${NAME}=x`],
    ['a bad one and a good one', `${NAME}=; ${pair}`],
    ['another name', `parapet-bypass=${value}`],
    ['a longer name', `x${pair}`],
    ['its name in another case', pair.replace('__Host', '__host')],
    ['a space before the value', `${NAME}= ${value}`],
    ['a very long value', `${NAME}=${'v1.'.repeat(5000)}`],
  ])('%s', async (_, cookie) => {
    expect(await admits(cookie)).toBe(false)
  })

  test('is found without waiting where there is nothing to check', () => {
    for (const cookie of [undefined, 'a=b', `${NAME}=x`, `${pair}; ${pair}`])
      expect(admits(cookie)).toBe(false)
  })
})
