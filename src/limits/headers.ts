import type { Decision, Judged } from './limiter.ts'

const seconds = (milliseconds: number): number => Math.ceil(milliseconds / 1000)

/** Seconds that a refused caller should wait, at least one. */
export const retryAfter = ({ retryMs }: Pick<Decision, 'retryMs'>): number => Math.max(1, seconds(retryMs))

/** Seconds until the limit is whole again, or for one that refuses, until it would not. */
const effectiveWindow = ({ standing, violated }: Judged): number => {
  if (!standing) return 0
  return violated ? retryAfter(standing) : seconds(standing.resetMs)
}

/**
 * What a caller is told of the limits that counted a request: `RateLimit-Policy` and `RateLimit` as lists of structured
 * fields (draft-ietf-httpapi-ratelimit-headers, RFC 9651), and of the tightest of them `X-RateLimit-*`, whose reset is
 * in seconds since the epoch. Where only this instance knows how a limit stands, the numbers that would pass are left out.
 *
 * @param now milliseconds since the epoch
 */
export const rateLimitHeaders = ({ judged }: Decision, now: number): [name: string, value: string][] => {
  const known = judged.filter(({ standing }) => standing)
  const tightest =
    known.toSorted((a, b) => Number(b.violated) - Number(a.violated) || shareLeft(a) - shareLeft(b))[0] ??
    judged[0]
  if (!tightest) return []
  const { policy, standing } = tightest
  return [
    [
      'RateLimit-Policy',
      judged
        .map(({ policy: { name, limit, perMs } }) => `"${name}";q=${limit};w=${seconds(perMs)}`)
        .join(', '),
    ],
    ...(known.length > 0
      ? ([
          [
            'RateLimit',
            known
              .map((one) => `"${one.policy.name}";r=${one.standing?.remaining};t=${effectiveWindow(one)}`)
              .join(', '),
          ],
        ] as [string, string][])
      : []),
    ['X-RateLimit-Limit', String(policy.limit)],
    ...(standing
      ? ([
          ['X-RateLimit-Remaining', String(standing.remaining)],
          ['X-RateLimit-Reset', String(seconds(now) + effectiveWindow(tightest))],
        ] as [string, string][])
      : []),
  ]
}

const shareLeft = ({ policy, standing }: Judged): number => (standing?.remaining ?? 0) / policy.limit
