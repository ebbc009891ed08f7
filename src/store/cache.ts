import type { Redis } from './redis.ts'

export interface CacheOptions {
  redis: Redis
  /** Seconds that a value is kept. */
  ttl: number
}

/** Keeps what is read often. A cache that cannot be reached costs its deadline and changes nothing else. */
export interface Cache {
  /** What is kept under `key`, or what `load` brings, which is then kept. */
  read<T extends object>(key: string, load: () => Promise<T>): Promise<T>
  /** Forgets a value after it changed. */
  drop(key: string): Promise<void>
}

/** A cache in Redis that every instance shares: one request for a hit, two for a miss. */
export const createCache = ({ redis, ttl }: CacheOptions): Cache => ({
  async read<T extends object>(key: string, load: () => Promise<T>) {
    const kept = await redis.get<T>(key).catch(() => null)
    // Only what we stored counts, not what a confused proxy says.
    if (typeof kept === 'object' && kept !== null) return kept
    const value = await load()
    await redis.set(key, value, { ex: ttl }).catch(() => {})
    return value
  },
  async drop(key) {
    await redis.del(key).catch(() => {})
  },
})

/** No cache: every read loads. */
export const noCache: Cache = { read: (_key, load) => load(), drop: async () => {} }
