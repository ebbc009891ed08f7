import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createPipeline } from '../../src/store/redis-pipeline.ts'

const serve = async (answer: RequestListener) => {
  let requests = 0
  const server = createServer((request, response) => {
    requests += 1
    answer(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, requests: () => requests, send: createPipeline({ url: `${url}/`, token: 'secret' }) }
}

const PING = [['PING']] as const

test('sends all commands in one request, as Upstash takes them', async () => {
  const seen: unknown[] = []
  const { send } = await serve(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    seen.push([request.method, request.url, request.headers.authorization, JSON.parse(body)])
    response.end('[{"result":"PONG"},{"error":"ERR no"}]')
  })
  expect(await send([['PING'], ['NO', 1]], 1000)).toEqual([{ result: 'PONG' }, { error: 'ERR no' }])
  expect(seen).toEqual([['POST', '/pipeline', 'Bearer secret', [['PING'], ['NO', 1]]]])
})

describe('what is no answer is a failure, after one request', () => {
  test.each<[what: string, failure: string, answer: RequestListener]>([
    ['401', 'auth', (_, response) => response.writeHead(401).end('{"error":"WRONGPASS"}')],
    ['500', 'bad_response', (_, response) => response.writeHead(500).end('[{"result":"PONG"}]')],
    ['a redirect', 'bad_response', (_, response) => response.writeHead(307, { location: '/x' }).end()],
    ['a page', 'bad_response', (_, response) => response.end('<!doctype html>')],
    ['an empty body', 'bad_response', (_, response) => response.end()],
    ['another shape', 'bad_response', (_, response) => response.end('{"result":"PONG"}')],
    ['too few replies', 'bad_response', (_, response) => response.end('[]')],
    ['too many', 'bad_response', (_, response) => response.end('[{"result":1},{"result":2}]')],
    ['what is no reply', 'bad_response', (_, response) => response.end('[null]')],
    ['an error that is no text', 'bad_response', (_, response) => response.end('[{"error":7}]')],
    ['a reset', 'refused', (request) => request.socket.destroy()],
    ['silence', 'timeout', () => {}],
    ['half a body', 'timeout', (_, response) => response.write('[{"result"')],
  ])('%s', async (_, failure, answer) => {
    const { send, requests } = await serve(answer)
    await expect(send(PING, 100)).rejects.toMatchObject({ failure })
    expect(requests()).toBe(1)
  })

  test('nobody there', async () => {
    await expect(createPipeline({ url: 'http://127.0.0.1:1', token: 't' })(PING, 1000)).rejects.toMatchObject(
      {
        failure: 'refused',
      },
    )
  })
})
