import { MIGRATIONS } from '../../src/data/migration-manifest.ts'

/** What databases, Redis and issuers answer while all is well, by path. */
export const wellSpoken = async (url: string, request: Request): Promise<Response> => {
  const { pathname } = new URL(request.url)
  switch (pathname) {
    case '/database/sql':
      return rows('one', 23, ['1'])
    case '/migrations/sql':
      return rows('id', 25, MIGRATIONS)
    case '/redis/pipeline':
      return Response.json([{ result: 'PONG' }])
    case '/queues/pipeline':
      return Response.json(((await request.json()) as unknown[]).map(() => ({ result: 2 })))
    case '/auth/.well-known/openid-configuration':
      return Response.json({ issuer: `${url}/auth`, jwks_uri: `${url}/auth/jwks` })
    case '/keys/well/.well-known/openid-configuration':
      return Response.json({ issuer: `${url}/keys/well`, jwks_uri: `${url}/keys/jwks` })
    case '/auth/jwks':
    case '/keys/jwks':
      return Response.json({ keys: [{ kty: 'RSA', kid: '1', n: 'AQAB', e: 'AQAB' }] })
    default:
      return new Response('hello')
  }
}

/** One column of Neon's SQL over HTTP. */
const rows = (name: string, dataTypeID: number, values: readonly string[]): Response =>
  Response.json({
    command: 'SELECT',
    rowCount: values.length,
    rowAsArray: true,
    fields: [{ name, dataTypeID, tableID: 0, columnID: 0, format: 'text' }],
    rows: values.map((value) => [value]),
  })
