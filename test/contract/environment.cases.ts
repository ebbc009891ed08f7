import { describe, expect, it } from 'vitest'
import { VARIABLES } from '../../src/config/variables.ts'
import { bearer, describeServer, eventually, type Server } from './harness.ts'
import { CLOSED_PORT, CRITICAL, canaryOf, INVALID, leaked, PLANTED, VALID } from './planted-environments.ts'
import type { Runtime, Variables } from './runtimes.ts'

const operator = bearer(canaryOf('INTERNAL_API_KEY'))

/** Everything that a server can be made to say, as one text. */
const everythingSaid = async (server: Server): Promise<string> => {
  const said: string[] = []
  const paths = [
    '/livez',
    '/health/db',
    '/readyz',
    '/',
    '/open/ok',
    '/open/throw/error',
    '/closed/ok',
    '/api/seed',
  ]
  for (const path of [
    ...paths,
    '/api/customers',
    '/none',
    '/open//x',
    '/metrics',
    '/console',
    '/api/status',
  ]) {
    for (const headers of [
      {},
      operator,
      bearer('wrong'),
      { accept: 'text/html' },
      { origin: 'https://a.example' },
    ]) {
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        const {
          status,
          headers: all,
          body,
        } = await server.raw({
          method,
          target: path,
          headers: Object.entries(headers),
        })
        said.push(`${status} ${JSON.stringify(all)} ${body}`)
      }
    }
  }
  return said.join('\n')
}

export const environmentCases = (runtime: Runtime): void => {
  describe('no value of a variable is ever told', () => {
    const right: [what: string, env: Variables][] = [
      ['right', VALID],
      [
        'right, in front of an origin that is away',
        { ...VALID, ORIGIN_URL: `${CLOSED_PORT}/${canaryOf('ORIGIN_URL')}` },
      ],
      [
        'right, at the most talkative',
        { ...VALID, LOG_LEVEL: 'debug', LOG_FORMAT: 'text', PII_REDACTION_ENABLED: 'false' },
      ],
      ['wrong', INVALID],
      ['wrong, at the most talkative', { ...INVALID, LOG_LEVEL: 'debug', LOG_FORMAT: 'text' }],
    ]
    describe.each(right)('where all are %s', (what, env) => {
      describeServer(
        what,
        runtime,
        { app: 'reference', env },
        (server) => {
          it('in no answer', async () => {
            expect(leaked(await everythingSaid(server()))).toEqual([])
          })

          it('though names of what is wrong are in the log, each once', async () => {
            const named = (name: string, text: string) =>
              text
                .split('\n')
                .filter((line) => new RegExp(`\\b${name} (?:must|is|has|differs)\\b`).test(line)).length
            const expected = what.startsWith('wrong') ? CRITICAL : []
            const output = await eventually(server().process.output, (text) =>
              expected.every((name) => named(name, text) > 0),
            )
            for (const name of CRITICAL)
              expect([name, named(name, output)]).toEqual([name, expected.length > 0 ? 1 : 0])
          })
        },
        { silent: PLANTED },
      )
    })

    it('the table of canaries is complete', () => {
      const numbersAndFlags = Object.keys(VARIABLES).filter((name) => !(name in VALID))
      expect(numbersAndFlags.filter((name) => /URL|KEY|SECRET|TOKEN|DSN|HOST|PASSWORD/.test(name))).toEqual([
        'ORIGIN_URL',
      ])
    })
  })
}
