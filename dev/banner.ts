export interface BannerOptions {
  /** Of the worker. */
  url: string
  /** Of the local services; see `startLocalServices`. */
  env: Readonly<Record<string, string>>
  token: string
  customers: number
  /** The data directory, as one would type it. */
  directory: string
  seconds: number
}

/** What `npm run dev` says once it is ready: what is where, who may do what, and a first request to copy. */
export function banner({ url, env, token, customers, directory, seconds }: BannerOptions): string {
  const redis = env.UPSTASH_REDIS_REST_URL
  const rows = [
    ['API', `${url}/api/customers`],
    ['Probes', `${url}/health   /health/db   /health/ready`],
    [
      'Postgres',
      `${env.NEON_FETCH_ENDPOINT}   Neon's protocol; ${customers} customers, kept in ${directory}/pg`,
    ],
    ['Redis', `${redis}   Upstash's protocol; empty at every start`],
    ['Faults', `${redis}/__faults   PUT {"service":"sql","mode":"hang"}, DELETE`],
    ['Variables', `${directory}/vars   what the worker got, secrets included`],
    ['Operator', token],
  ]
  return `
Parapet is ready after ${seconds.toFixed(1)} s.

${rows.map(([name = '', value = '']) => `  ${name.padEnd(11)}${value}`).join('\n')}

  curl -H 'Authorization: Bearer ${token}' '${url}/api/customers?limit=2'

Ctrl-C ends all of it. To begin with nothing, delete ${directory} then.

`
}
