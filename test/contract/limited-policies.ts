import type { Policy } from '../../src/parapet.ts'

/**
 * The limits of the app `limited`, beside the defaults: `login`, and `api` for every request. Paths below `/open/path`
 * answer whatever is asked of them.
 */
export const LIMITED_POLICIES: readonly Policy[] = [
  // With `api` two policies and three; all of them give a token back every second.
  { name: 'second', match: ['/open/path/two/*', '/open/path/three/*'], by: 'ip', limit: 3, per: '3s' },
  { name: 'third', match: '/open/path/three/*', by: 'ip', limit: 2, per: '2s' },

  { name: 'exact', match: '/open/path/exact/*', by: 'ip', limit: 5, per: '2s', strict: true },
  { name: 'hourly', match: '/open/path/hourly/*', by: 'ip', limit: 10, per: '1h' },
  { name: 'read', match: 'GET /open/ok', by: 'ip', limit: 3, per: '60s' },
  { name: 'write', match: 'POST /open/ok', by: 'ip', limit: 2, per: '60s' },
  { name: 'closed', match: '/closed/*', by: 'ip', limit: 4, per: '60s' },
  {
    name: 'costly',
    match: '/open/path/costly/*',
    by: 'ip',
    limit: 10,
    per: '60s',
    cost: ({ path }) => (path.endsWith('/big') ? 5 : 2),
  },
  {
    name: 'skipping',
    match: '/open/path/skipping/*',
    by: 'ip',
    limit: 1,
    per: '60s',
    skip: (visit) => visit.header('x-skip') === 'yes',
  },
  {
    name: 'refunding',
    match: '/open/status/*',
    by: 'ip',
    limit: 3,
    per: '60s',
    refund: (status) => status < 300,
  },
  {
    name: 'customers',
    match: '/open/path/customers/*',
    by: 'custom',
    key: (visit) => visit.header('x-customer'),
    limit: 2,
    per: '60s',
  },
  {
    name: 'fifty',
    match: '/open/path/fifty/*',
    by: 'custom',
    key: (visit) => visit.header('x-customer'),
    limit: 50,
    per: '1h',
  },

  // What each does while the store is away.
  { name: 'itself', match: '/open/path/itself/*', by: 'ip', limit: 3, per: '60s', onStoreFailure: 'local' },
  { name: 'ajar', match: '/open/path/ajar/*', by: 'ip', limit: 2, per: '60s', onStoreFailure: 'open' },
  { name: 'shut', match: '/open/path/shut/*', by: 'ip', limit: 3, per: '60s', onStoreFailure: 'closed' },
]
