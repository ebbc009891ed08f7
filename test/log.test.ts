import { expect, test } from 'vitest'
import { createLog, type LogOptions } from '../src/log.ts'

const lines = (options: Partial<LogOptions>) => {
  const written: string[] = []
  return { written, log: createLog({ sink: (line) => written.push(line), clock: () => 0, ...options }) }
}
const request = {
  method: 'GET',
  path: '/api/users',
  status: 200,
  durationMs: 45,
  correlationId: 'abc123def456',
  traceId: 't',
  spanId: 's',
}

test('text lines have the shapes of the guides', () => {
  const { log, written } = lines({ format: 'text' })
  log.request(request)
  log.request({
    ...request,
    method: 'POST',
    path: '/api/reports',
    durationMs: 2500,
    correlationId: 'xyz789abc012',
  })
  expect(written).toEqual([
    '[request] GET /api/users 200 45ms [abc123def456]',
    '[request] SLOW POST /api/reports 200 2500ms [xyz789abc012]',
  ])
})

test('JSON lines carry both ids, the category and the level', () => {
  const { log, written } = lines({ format: 'json' })
  log.request(request)
  log.request({ ...request, status: 503 })
  expect(JSON.parse(written[0] as string)).toEqual({
    time: '1970-01-01T00:00:00.000Z',
    level: 'info',
    category: 'http',
    msg: 'request',
    ...request,
  })
  expect(JSON.parse(written[1] as string)).toMatchObject({ level: 'error' })
})

test.each(['json', 'text'] as const)('a value cannot begin a line of its own (%s)', (format) => {
  const { log, written } = lines({ format })
  log.write('warn', 'security', 'a\n[request] GET /forged 200 1ms [x]', { path: '/x\r\n\u2028forged' })
  expect(written).toHaveLength(1)
  expect(written[0]).not.toMatch(/[\n\r\u2028]/)
})

test('what stands under a sensitive key, and a secret anywhere, is not written', () => {
  const { log, written } = lines({ secrets: ['s3cret-value'] })
  log.write('info', 'config', 'x s3cret-value', {
    authorization: 'Basic abc',
    nested: { cookie: 'sid=1', note: 's3cret-value' },
  })
  expect(written[0]).not.toMatch(/s3cret-value|Basic abc|sid=1/)
  expect(JSON.parse(written[0] as string)).toMatchObject({ nested: { note: '[redacted]' } })
})

test('an id that came with the request is written as it is', () => {
  const { log, written } = lines({})
  log.request({ ...request, correlationId: 'token=abc.1.2.3.4' })
  expect(JSON.parse(written[0] as string).correlationId).toBe('token=abc.1.2.3.4')
})

test('nothing below the level is written', () => {
  const { log, written } = lines({ level: 'warn' })
  log.request(request)
  log.write('info', 'system', 'x')
  log.write('warn', 'system', 'y')
  expect(written).toHaveLength(1)
  const silent = lines({ level: 'silent' })
  silent.log.write('error', 'system', 'x')
  expect(silent.written).toEqual([])
})
