import { describe, expect, it } from 'vitest'
import { MAX_REQUEST_BYTES, READ_TOKEN, type RedisTarget } from './redis-target.ts'

const BASE64 = { 'upstash-encoding': 'base64' }

/** The protocol as raw HTTP: what no client of ours would send, and the bytes that come back. */
export function upstashWireContract(target: () => RedisTarget): void {
  describe('replies', () => {
    it('encodes every string but the bare OK', async () => {
      const { send, key } = target()
      const one = async (...command: unknown[]) => (await send('/', { body: command, headers: BASE64 })).json
      expect(await one('SET', key('a'), 'OK')).toEqual({ result: 'OK' })
      expect(await one('GET', key('a'))).toEqual({ result: btoa('OK') })
      expect(await one('TYPE', key('a'))).toEqual({ result: btoa('string') })
      expect(await one('MGET', key('a'), key('nothing'))).toEqual({ result: [btoa('OK'), null] })
      expect(await one('EVAL', 'return {1, {redis.status_reply("OK"), "x"}}', 0)).toEqual({
        result: [1, [btoa('OK'), btoa('x')]],
      })
      const piped = await send('/pipeline', {
        body: [
          ['SET', key('a'), 'b'],
          ['GET', key('a')],
        ],
        headers: BASE64,
      })
      expect(piped.text).toBe('[{"result":"OK"},{"result":"Yg=="}]')
    })

    it('keeps raw bytes in base64 and replaces them in text', async () => {
      const { send, key } = target()
      const path = `/set/${key('bytes')}/%00%FF%FEa`
      expect((await send(path)).json).toEqual({ result: 'OK' })
      expect((await send(`/get/${key('bytes')}`, { headers: BASE64 })).json).toEqual({ result: 'AP/+YQ==' })
      expect((await send(`/get/${key('bytes')}`)).json).toEqual({ result: '\0\uFFFD\uFFFDa' })
    })

    it('encodes a large value', async () => {
      const { send, key } = target()
      const value = 'é'.repeat(300_000)
      await send('/', { body: ['SET', key('large'), value] })
      const { json } = await send('/', { body: ['GET', key('large')], headers: BASE64 })
      expect(json).toEqual({ result: Buffer.from(value).toString('base64') })
    })

    it('takes numbers and booleans as arguments and keeps the digits of large integers', async () => {
      const { send, key } = target()
      await send('/', { body: `["SET", "${key('n')}", 9007199254740993]` })
      expect((await send('/', { body: ['GET', key('n')] })).json).toEqual({ result: '9007199254740993' })
      await send('/', { body: ['SET', key('n'), true, 'EX', 100] })
      expect((await send('/', { body: ['GET', key('n')] })).json).toEqual({ result: 'true' })
      expect((await send('/', { body: ['TTL', key('n')] })).json).toEqual({ result: 100 })
    })

    it('changes the sync token with writes only', async () => {
      const { send, key } = target()
      const token = async (...command: unknown[]) =>
        (await send('/', { body: command })).headers.get('upstash-sync-token')
      const before = await token('GET', key('a'))
      expect(before).toBeTruthy()
      expect(await token('GET', key('a'))).toBe(before)
      const after = await token('SET', key('a'), 1)
      expect(after).not.toBe(before)
      expect(await token('GET', key('a'))).toBe(after)
    })

    it('answers RESP2 on demand, though not for a transaction or with base64', async () => {
      const { send, key } = target()
      const headers = { 'upstash-response-format': 'resp2' }
      const body = [
        ['SET', key('r'), 'x'],
        ['GET', key('r')],
        ['MGET', key('r'), key('no')],
        ['STRLEN', key('r')],
      ]
      const { text, headers: got } = await send('/pipeline', { body, headers })
      expect(text).toBe('+OK\r\n$1\r\nx\r\n*2\r\n$1\r\nx\r\n$-1\r\n:1\r\n')
      expect(got.get('content-type')).toBe('application/octet-stream')
      expect((await send('/', { body: ['HGET', key('r'), 'f'], headers })).text).toMatch(/^-WRONGTYPE.*\r\n$/)
      expect((await send('/multi-exec', { body, headers })).status).toBe(400)
      expect((await send('/', { body: ['PING'], headers: { ...headers, ...BASE64 } })).status).toBe(400)
      expect((await send('/', { body: ['PING'], headers: { 'upstash-response-format': 'x' } })).status).toBe(
        400,
      )
    })

    it('discards a transaction as a whole', async () => {
      const { send, key } = target()
      for (const bad of [['NOSUCHCOMMAND'], ['GET'], ['BLPOP', key('q'), 0], ['SET', key('d'), null], []]) {
        const { status, json } = await send('/multi-exec', { body: [['SET', key('d'), 1], bad] })
        expect([status, json]).toEqual([400, { error: expect.stringMatching(/^EXECABORT .*ERR /) }])
      }
      expect((await send('/', { body: ['EXISTS', key('d')] })).json).toEqual({ result: 0 })
      expect((await send('/multi-exec', { body: [['SET', key('d'), 1]] })).json).toEqual([{ result: 'OK' }])
    })
  })

  describe('path style', () => {
    it('takes arguments from path, body and query, in that order', async () => {
      const { send, key } = target()
      expect((await send(`/set/${key('p')}?EX=100`, { body: '{"json":true}' })).json).toEqual({
        result: 'OK',
      })
      expect((await send(`/get/${key('p')}`, { method: 'GET' })).json).toEqual({ result: '{"json":true}' })
      expect((await send(`/TTL/${key('p')}`, { method: 'GET' })).json).toEqual({ result: 100 })
      expect((await send(`/set/${key('p')}/a%2Fb%20c?NX`, { method: 'PUT' })).json).toEqual({ result: null })
      await send(`/set/${key('p')}/a%2Fb%20c`, { method: 'GET' })
      expect((await send(`/get/${key('p')}`, { method: 'GET' })).json).toEqual({ result: 'a/b c' })
      expect((await send('/get', { method: 'GET' })).status).toBe(400)
      const head = await send(`/get/${key('p')}`, { method: 'HEAD' })
      expect([head.status, head.text]).toEqual([200, ''])
    })

    it('takes the token from the query', async () => {
      const { send, key } = target()
      const path = `/set/${key('q')}/1?_token=full-access-token`
      expect((await send(path, { method: 'GET', token: null })).json).toEqual({ result: 'OK' })
      expect((await send('/ping?_token=wrong', { method: 'GET', token: null })).status).toBe(401)
    })

    it('refuses other methods', async () => {
      const { send } = target()
      for (const method of ['DELETE', 'PATCH', 'OPTIONS']) {
        const { status, headers } = await send('/get/x', { method })
        expect([status, headers.get('allow')]).toEqual([405, 'HEAD, GET, POST, PUT'])
      }
      expect((await send('/pipeline', { method: 'GET' })).status).toBe(405)
    })
  })

  describe('who may', () => {
    it('asks for a token, everywhere', async () => {
      const { send } = target()
      for (const path of ['/', '/pipeline', '/multi-exec', '/get/a', '/nothing']) {
        expect(await send(path, { token: null, body: 'x' })).toMatchObject({
          status: 401,
          json: { error: 'Unauthorized' },
        })
        for (const token of ['wrong', 'full-access-toke', 'full-access-tokenn', 'é']) {
          const headers = { authorization: `Bearer ${encodeURIComponent(token)}` }
          const { status, json } = await send(path, { token: null, headers, body: 'x' })
          expect([status, json]).toEqual([401, { error: 'WRONGPASS invalid or missing auth token' }])
        }
      }
    })

    it('lets a read-only token read and nothing else', async () => {
      const { send, client, redis, key } = target()
      await redis.set(key('r'), 'seen')
      const reader = client({ token: READ_TOKEN })
      expect(await reader.get(key('r'))).toBe('seen')
      await expect(reader.set(key('r'), 'x')).rejects.toThrow(
        "NOPERM this user has no permissions to run the 'set' command",
      )
      for (const command of [
        ['KEYS', '*'],
        ['SCAN', 0],
        ['EVAL', 'return 1', 0],
        ['FLUSHALL'],
        ['PUBLISH', 'a', 'b'],
      ]) {
        const { status, json } = await send('/', { token: READ_TOKEN, body: command })
        expect([status, json]).toEqual([400, { error: expect.stringMatching(/^NOPERM/) }])
      }
      const multi = await send('/multi-exec', {
        token: READ_TOKEN,
        body: [
          ['GET', key('r')],
          ['DEL', key('r')],
        ],
      })
      expect(multi).toMatchObject({ status: 400, json: { error: expect.stringMatching(/^NOPERM/) } })
      const piped = await send('/pipeline', {
        token: READ_TOKEN,
        body: [
          ['GET', key('r')],
          ['DEL', key('r')],
        ],
      })
      expect(piped).toMatchObject({
        status: 200,
        json: [{ result: 'seen' }, { error: expect.stringMatching(/^NOPERM/) }],
      })
      expect(await redis.get(key('r'))).toBe('seen')
    })
  })

  describe('bad input', () => {
    it.each([
      ['/', 'not json'],
      ['/', ''],
      ['/', '{}'],
      ['/', '"PING"'],
      ['/', '[]'],
      ['/', '[["PING"]]'],
      ['/', '[null]'],
      ['/', '[""]'],
      ['/', '["GET", {"a":1}]'],
      ['/', '["GET", null]'],
      ['/', '["NOSUCHCOMMAND"]'],
      ['/', `${'['.repeat(200_000)}`],
      ['/', `${'['.repeat(100_000)}1234567890123456${']'.repeat(100_000)}`],
      ['/pipeline', 'not json'],
      ['/pipeline', ''],
      ['/pipeline', '[]'],
      ['/pipeline', '{"a":1}'],
      ['/pipeline', '["GET","a"]'],
      ['/pipeline', '[["PING"],"PING"]'],
      ['/multi-exec', '[]'],
      ['/multi-exec', '[["PING"],[["x"]]]'],
      ['/get/%zz', ''],
      ['//', ''],
    ])('%s refuses %.40j', async (path, body) => {
      const { status, json } = await target().send(path, { body })
      expect([status, json]).toEqual([400, { error: expect.stringMatching(/ERR /) }])
    })

    it('refuses bytes that are not UTF-8', async () => {
      const { url } = target()
      const body = Uint8Array.from([0x5b, 0x22, 0xff, 0x22, 0x5d])
      const headers = { authorization: 'Bearer full-access-token' }
      expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(400)
    })

    it('answers a bad command of a pipeline in its place', async () => {
      const { json } = await target().send('/pipeline', {
        body: [['PING'], ['GET', null], [], ['GET'], ['PING']],
      })
      expect(json).toEqual([
        { result: 'PONG' },
        { error: 'ERR null args are not supported' },
        { error: 'ERR empty command' },
        { error: expect.stringMatching(/wrong number of arguments/) },
        { result: 'PONG' },
      ])
    })

    it.each([
      ['BLPOP', 'q', 0],
      ['brpoplpush', 'a', 'b', 0],
      ['BZPOPMIN', 'z', 0],
      ['XREAD', 'COUNT', 1, 'BLOCK', 0, 'STREAMS', 's', '$'],
      ['WATCH', 'k'],
      ['MULTI'],
      ['EXEC'],
      ['SELECT', 1],
      ['AUTH', 'x'],
      ['CLIENT', 'REPLY', 'OFF'],
      ['SCRIPT', 'DEBUG', 'YES'],
      ['SUBSCRIBE', 'c'],
      ['MONITOR'],
      ['CONFIG', 'SET', 'x', 'y'],
      ['SHUTDOWN'],
      ['DEBUG', 'SLEEP', 1],
    ])('refuses %s', async (...command) => {
      const { send } = target()
      const { status, json } = await send('/', { body: command })
      expect([status, json]).toEqual([
        400,
        { error: expect.stringMatching(/^ERR '.*not available over the REST API/) },
      ])
      expect((await send('/', { body: ['PING'] })).json).toEqual({ result: 'PONG' })
    })

    it('refuses what is too large, announced or not', async () => {
      const { send, url } = target()
      const body = JSON.stringify(['SET', 'k', 'x'.repeat(MAX_REQUEST_BYTES)])
      const error = expect.stringMatching(/^ERR max request size exceeded. Limit: 1000000 bytes/)
      expect(await send('/', { body })).toMatchObject({ status: 413, json: { error } })
      const chunked = new Response(body).body
      const init = {
        method: 'POST',
        headers: { authorization: 'Bearer full-access-token' },
        body: chunked,
        duplex: 'half',
      }
      expect((await fetch(url, init as RequestInit)).status).toBe(413)
    })
  })

  describe('event streams', () => {
    it('says what monitor saw and splits a payload of several lines', async () => {
      const { url, redis, key } = target()
      const monitor = await events(url, '/monitor')
      const subscriber = await events(url, `/subscribe/${key('c1')}/${key('c2')}`)
      expect(await subscriber.next()).toBe(`data: subscribe,${key('c1')},1`)
      expect(await subscriber.next()).toBe(`data: subscribe,${key('c2')},2`)
      expect(await monitor.next()).toBe('data: "OK"')
      await redis.publish(key('c2'), 'two\nlines')
      expect(await subscriber.next()).toBe(`data: message,${key('c2')},two\ndata: lines`)
      // A shared server may be talked to by others as well.
      let seen = ''
      while (!seen.includes(key('c2')) || /subscribe/i.test(seen)) seen = await monitor.next()
      expect(seen).toMatch(/^data: \d+\.\d+ \[0 .*\] "publish"/i)
      await monitor.end()
      await subscriber.end()
    })

    it('has a limit, is not for readers, and needs the right Accept', async () => {
      const { url, send, key } = target()
      const open = []
      for (let at = 0; at < 3; at++) open.push(await events(url, `/subscribe/${key('limit')}`))
      const headers = { accept: 'text/event-stream' }
      expect((await send(`/subscribe/${key('limit')}`, { headers })).status).toBe(503)
      for (const one of open) await one.end()
      await expect
        .poll(async () => (await events(url, `/subscribe/${key('limit')}`).catch(() => undefined))?.end())
        .toBe(true)
      expect((await send(`/subscribe/${key('a')}`, { headers, token: READ_TOKEN })).json).toEqual({
        error: expect.stringMatching(/^NOPERM/),
      })
      expect((await send('/subscribe', { headers })).status).toBe(400)
      expect((await send(`/subscribe/${key('a')}`)).json).toEqual({
        error: expect.stringMatching(/Accept: text/),
      })
    })
  })
}

/** Opens an event stream and reads it event by event. */
async function events(url: string, path: string) {
  const gone = new AbortController()
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { authorization: 'Bearer full-access-token', accept: 'text/event-stream' },
    signal: gone.signal,
  })
  if (response.status !== 200 || !response.body) throw new Error(`answered ${response.status}`)
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  return {
    async next(): Promise<string> {
      while (!text.includes('\n\n')) {
        const { done, value } = await reader.read()
        if (done) throw new Error('the stream has ended')
        text += value
      }
      const at = text.indexOf('\n\n')
      const event = text.slice(0, at)
      text = text.slice(at + 2)
      return event
    },
    async end(): Promise<boolean> {
      gone.abort()
      await reader.cancel().catch(() => {})
      return true
    },
  }
}
