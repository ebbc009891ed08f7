import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { loadConfig } from '../../src/config/config.ts'
import { absentCheck } from '../../src/health/checks/absent.ts'
import { authCheck } from '../../src/health/checks/auth.ts'
import { channelsCheck } from '../../src/health/checks/channels.ts'
import { configCheck } from '../../src/health/checks/config.ts'
import { originCheck } from '../../src/health/checks/origin.ts'
import { queuesCheck } from '../../src/health/checks/queues.ts'
import { redisCheck } from '../../src/health/checks/redis.ts'
import { queueDepths } from '../../src/store/queue-depths.ts'
import { createPipeline } from '../../src/store/redis-pipeline.ts'
import { CANARY } from '../contract/canary.ts'
import { startFakeRedis } from '../contract/fake-dependency.ts'

const serve = async (answer: RequestListener) => {
  const arrived: IncomingMessage[] = []
  const server = createServer((request, response) => {
    arrived.push(request)
    answer(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, arrived }
}

describe('config', () => {
  test('passes without a problem, and fails with one', async () => {
    await expect(configCheck([]).run()).resolves.toBeUndefined()
    await expect(configCheck([{ name: CANARY }]).run()).rejects.toMatchObject({ failure: 'bad_response' })
  })
})

describe('what is absent', () => {
  test('is down', async () => {
    const check = absentCheck('redis', 'info')
    expect(check).toMatchObject({ name: 'redis', criticality: 'info' })
    await expect(check.run()).rejects.toMatchObject({ failure: 'refused' })
  })
})

describe('redis', () => {
  const send = async () => [{ result: 'PONG' }]

  test('is looked at as a limit does where the store has given it up', async () => {
    let away: 'timeout' | undefined = 'timeout'
    let looks = 0
    const store = {
      away: () => away,
      async look() {
        looks++
      },
    }
    const check = redisCheck({ send, store })
    await expect(check.run()).rejects.toMatchObject({ failure: 'timeout' })
    store.look = async () => {
      away = undefined
    }
    await expect(check.run()).resolves.toBeUndefined()
    expect(looks).toBe(1)
  })
})

describe('auth', () => {
  const KEYS = [{ kty: 'RSA', kid: '1' }]
  /** An issuer whose documents are made from its own address. */
  const issue = (
    discovery: (url: string) => unknown = (url) => ({ issuer: url, jwks_uri: `${url}/jwks` }),
    jwks: unknown = { keys: KEYS },
  ) =>
    serve((request, response) => {
      const url = `http://${request.headers.host}`
      response.end(JSON.stringify(request.url?.startsWith('/.well-known') ? discovery(url) : jwks))
    })

  test('asks for the discovery document and its keys, and for nothing else', async () => {
    const { url, arrived } = await issue()
    await expect(authCheck({ issuer: url }).run()).resolves.toBeUndefined()
    expect(arrived.map((request) => `${request.method} ${request.url}`)).toEqual([
      'GET /.well-known/openid-configuration',
      'GET /jwks',
    ])
    for (const { headers } of arrived) {
      expect(headers).not.toHaveProperty('authorization')
      expect(headers).not.toHaveProperty('cookie')
    }
  })

  test('takes an issuer with a path, and one with a slash at the end', async () => {
    const { url, arrived } = await serve((request, response) => {
      const issuer = `http://${request.headers.host}/realms/one/`
      response.end(JSON.stringify({ issuer, jwks_uri: `${issuer}jwks`, keys: KEYS }))
    })
    await expect(authCheck({ issuer: `${url}/realms/one/` }).run()).resolves.toBeUndefined()
    expect(arrived[0]?.url).toBe('/realms/one/.well-known/openid-configuration')
  })

  test.each<
    [what: string, code: string, requests: number, discovery: (url: string) => unknown, jwks?: unknown]
  >([
    [
      'another issuer',
      'misconfigured',
      1,
      (url) => ({ issuer: 'https://else.example', jwks_uri: `${url}/jwks` }),
    ],
    ['a slash too many', 'misconfigured', 1, (url) => ({ issuer: `${url}/`, jwks_uri: `${url}/jwks` })],
    ['no issuer', 'bad_response', 1, (url) => ({ jwks_uri: `${url}/jwks` })],
    ['no address of keys', 'bad_response', 1, (url) => ({ issuer: url })],
    ['keys in the open', 'bad_response', 1, (url) => ({ issuer: url, jwks_uri: 'http://keys.example/jwks' })],
    ['keys in a file', 'bad_response', 1, (url) => ({ issuer: url, jwks_uri: 'file:///etc/passwd' })],
    ['a relative address of keys', 'bad_response', 1, (url) => ({ issuer: url, jwks_uri: '/jwks' })],
    ['a list', 'bad_response', 1, () => [1]],
    ['a word', 'bad_response', 1, () => 'issuer'],
    ['no keys', 'bad_response', 2, (url) => ({ issuer: url, jwks_uri: `${url}/jwks` }), { keys: [] }],
    [
      'keys that are no list',
      'bad_response',
      2,
      (url) => ({ issuer: url, jwks_uri: `${url}/jwks` }),
      { keys: {} },
    ],
    [
      'keys that are none',
      'bad_response',
      2,
      (url) => ({ issuer: url, jwks_uri: `${url}/jwks` }),
      { keys: [null, {}] },
    ],
  ])('fails by %s', async (_, failure, requests, discovery, jwks) => {
    const { url, arrived } = await issue(discovery, jwks)
    await expect(authCheck({ issuer: url }).run()).rejects.toMatchObject({ failure })
    expect(arrived).toHaveLength(requests)
  })

  test('reads no more than 64 KiB of either document, and hangs up', async () => {
    for (const size of [60_000, 70_000]) {
      const { url } = await issue(undefined, { keys: KEYS, pad: 'x'.repeat(size) })
      const run = authCheck({ issuer: url }).run()
      if (size < 65_536) await expect(run).resolves.toBeUndefined()
      else await expect(run).rejects.toMatchObject({ failure: 'bad_response' })
    }
    const gone = Promise.withResolvers<void>()
    const { url } = await serve((_, response) => {
      const timer = setInterval(() => response.write(' '.repeat(10_000)), 1)
      response.once('close', () => {
        clearInterval(timer)
        gone.resolve()
      })
    })
    await expect(authCheck({ issuer: url }).run()).rejects.toMatchObject({ failure: 'bad_response' })
    await gone.promise
  })

  test('takes one time for both requests', async () => {
    const { url } = await serve((request, response) => {
      const issuer = `http://${request.headers.host}`
      setTimeout(() => response.end(JSON.stringify({ issuer, jwks_uri: issuer, keys: KEYS })), 300)
    })
    await expect(authCheck({ issuer: url, timeoutMs: 2000 }).run()).resolves.toBeUndefined()
    await expect(authCheck({ issuer: url, timeoutMs: 450 }).run()).rejects.toMatchObject({
      failure: 'timeout',
    })
  })
})

describe('origin', () => {
  test.each([200, 204, 301, 302, 304, 400, 401, 403, 404, 405, 418, 429])('is up with %i', async (status) => {
    const { url, arrived } = await serve((_, response) =>
      response.writeHead(status, { Location: 'http://elsewhere.example/' }).end(),
    )
    await expect(originCheck({ url }).run()).resolves.toBeUndefined()
    expect(arrived).toHaveLength(1)
  })

  test.each([500, 501, 502, 503, 504, 522, 599])('is down with %i', async (status) => {
    const { url, arrived } = await serve((_, response) => response.writeHead(status).end(CANARY))
    await expect(originCheck({ url }).run()).rejects.toMatchObject({ failure: 'bad_response' })
    expect(arrived).toHaveLength(1)
  })

  test.each(['', '/', '/base', '/base/'])('is asked where a visitor of / would be: %s', async (base) => {
    const { url, arrived } = await serve((_, response) => response.end())
    await originCheck({ url: url + base }).run()
    expect(arrived[0]).toMatchObject({ method: 'GET', url: base.startsWith('/base') ? '/base/' : '/' })
    expect(arrived[0]?.headers).toMatchObject({ 'user-agent': 'parapet-health-check' })
    for (const name of ['authorization', 'cookie', 'x-api-key'])
      expect(arrived[0]?.headers).not.toHaveProperty(name)
  })

  test('has to begin an answer, and not to end it', async () => {
    const gone = Promise.withResolvers<void>()
    const { url } = await serve((_, response) => {
      response.write('a page without an end')
      response.once('close', gone.resolve)
    })
    await expect(originCheck({ url, timeoutMs: 1000 }).run()).resolves.toBeUndefined()
    // Nobody reads on.
    await gone.promise
  })
})

describe('channels', () => {
  const run = (env: Record<string, string>) => channelsCheck(loadConfig(env).config).run()

  test.each<[string, Record<string, string>]>([
    ['SendGrid', { SENDGRID_API_KEY: CANARY }],
    ['Slack', { SLACK_WEBHOOK_URL: 'https://hooks.example/x' }],
    ['Mailgun', { MAILGUN_API_KEY: CANARY, MAILGUN_DOMAIN: 'mail.example' }],
    ['WhatsApp', { TWILIO_ACCOUNT_SID: CANARY, TWILIO_AUTH_TOKEN: CANARY, TWILIO_WHATSAPP_FROM: '+1' }],
  ])('%s alone is enough', async (_, env) => {
    await expect(run(env)).resolves.toBeUndefined()
  })

  test.each<[string, Record<string, string>]>([
    ['nothing', {}],
    ['half of one', { MAILGUN_API_KEY: CANARY }],
    ['two thirds of one', { TWILIO_ACCOUNT_SID: CANARY, TWILIO_AUTH_TOKEN: CANARY }],
    ['what is no address', { SLACK_WEBHOOK_URL: 'hooks' }],
  ])('%s is not', async (_, env) => {
    await expect(run(env)).rejects.toMatchObject({ failure: 'misconfigured' })
  })

  test('half of one beside another is a warning', async () => {
    await expect(run({ RESEND_API_KEY: CANARY, MAILGUN_DOMAIN: 'mail.example' })).resolves.toBe('warn')
  })
})

describe('queues', () => {
  const open = async () => {
    const redis = await startFakeRedis()
    onTestFinished(() => redis.close())
    const send = createPipeline({ url: redis.url, token: CANARY })
    const fill = (key: string, jobs: number) =>
      redis.run('RPUSH', key, ...Array.from({ length: jobs }, (_, id) => String(id)))
    const run = (...names: string[]) => queuesCheck({ send, names }).run()
    return { redis, send, fill, run }
  }

  test('are counted under their own keys, by one request', async () => {
    const { redis, send, fill } = await open()
    await fill('bull:mail:wait', 3)
    await fill('bull:mail:paused', 2)
    await redis.run('ZADD', 'bull:mail:prioritized', '1', 'a', '2', 'b', '3', 'c', '4', 'd')
    await fill('bull:mail:active', 1)
    await redis.run('ZADD', 'bull:mail:delayed', '1', 'a', '2', 'b')
    await redis.run('ZADD', 'bull:mail:failed', '1', 'a')
    await fill('bull:other:wait', 5)
    expect(await queueDepths(send, ['mail', 'none'], 1000)).toEqual([
      { name: 'mail', waiting: 9, active: 1, delayed: 2, failed: 1 },
      { name: 'none', waiting: 0, active: 0, delayed: 0, failed: 0 },
    ])
    expect(redis.asked()).toHaveLength(1)
  })

  test('warn with more than 1000 waiting in one of them', async () => {
    const { redis, fill, run } = await open()
    await fill('bull:mail:wait', 600)
    await fill('bull:other:wait', 600)
    await expect(run('mail', 'other')).resolves.toBeUndefined()
    await fill('bull:mail:paused', 400)
    await expect(run('mail', 'other')).resolves.toBeUndefined()
    await redis.run('ZADD', 'bull:mail:prioritized', '1', 'a')
    await expect(run('mail', 'other')).resolves.toBe('warn')
    await expect(run('other')).resolves.toBeUndefined()
  })

  test('fail where a key holds something else, or Redis refuses a command', async () => {
    const { redis, run } = await open()
    await redis.run('SET', 'bull:mail:wait', CANARY)
    await expect(run('mail')).rejects.toMatchObject({ failure: 'bad_response', message: 'bad_response' })
    await redis.become('error-each')
    await expect(run('none')).rejects.toMatchObject({ failure: 'bad_response' })
  })
})
