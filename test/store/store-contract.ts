import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Charge, Standing, Store, Verdict } from '../../src/store/store.ts'

export interface StoreTarget {
  store: Store
  /** Lets this many milliseconds pass, really or not. */
  pass(milliseconds: number): Promise<void>
  now(): number
  close(): Promise<void>
}

/** Milliseconds that may pass between two lines of a test on a busy machine. */
const SLACK = 150

/** What every store must do, whatever stands behind it. */
export const storeContract = (name: string, open: () => Promise<StoreTarget>): void => {
  describe(`the store contract: ${name}`, () => {
    let target: StoreTarget
    beforeAll(async () => {
      target = await open()
    })
    afterAll(() => target.close())

    const waitUntil = () => {}
    const charge = async (...charges: Charge[]): Promise<Verdict> => {
      const verdict = await target.store.charge(charges, { now: target.now(), waitUntil })
      if (!verdict) throw new Error('the store is away')
      return verdict
    }
    const one = async (limit: Charge): Promise<Standing> => (await charge(limit)).standings[0] as Standing
    const refund = (...charges: Charge[]) =>
      target.store.refund(charges, { now: target.now(), waitUntil }) ?? Promise.resolve()
    const admitted = async (limit: Charge, times: number): Promise<number> => {
      let count = 0
      for (let i = 0; i < times; i++) if ((await one(limit)).allowed) count += 1
      return count
    }
    const gcra = (over: Partial<Charge> = {}): Charge => ({
      key: randomUUID(),
      algorithm: 'gcra',
      capacity: 5,
      periodMs: 60_000,
      cost: 1,
      ...over,
    })
    const log = (over: Partial<Charge> = {}): Charge => gcra({ algorithm: 'log', ...over })

    describe.each([
      ['gcra', gcra],
      ['log', log],
    ] as const)('%s', (_, limit) => {
      it('admits what there is room for, counts down, and then refuses', async () => {
        const own = limit()
        const remaining: number[] = []
        for (let i = 0; i < 5; i++) {
          const standing = await one(own)
          expect(standing).toMatchObject({ allowed: true, retryMs: 0, taken: 1 })
          remaining.push(standing.remaining)
        }
        expect(remaining).toEqual([4, 3, 2, 1, 0])
        const refused = await one(own)
        expect(refused).toMatchObject({ allowed: false, remaining: 0, taken: 0 })
        expect(refused.retryMs).toBeGreaterThan(50_000)
        expect(refused.retryMs).toBeLessThanOrEqual(60_000)
      })

      it('limits with different keys know nothing of each other', async () => {
        expect(await admitted(limit(), 6)).toBe(5)
        expect(await admitted(limit(), 6)).toBe(5)
      })

      it('a refusal takes nothing, however often', async () => {
        const own = limit({ periodMs: 400 })
        await admitted(own, 5)
        const { retryMs } = await one(own)
        await admitted(own, 20)
        await target.pass(retryMs + 1)
        expect((await one(own)).allowed).toBe(true)
      })

      it('admits from the moment that it said, and not before', async () => {
        const own = limit({ capacity: 1, periodMs: 1000 })
        await one(own)
        const { retryMs } = await one(own)
        await target.pass(retryMs - SLACK)
        const early = await one(own)
        expect(early.allowed).toBe(false)
        await target.pass(early.retryMs + 1)
        expect((await one(own)).allowed).toBe(true)
      })

      it('takes what a request costs, and refuses what is too much without taking any', async () => {
        const own = limit()
        expect(await one({ ...own, cost: 3 })).toMatchObject({ allowed: true, remaining: 2, taken: 3 })
        expect(await one({ ...own, cost: 3 })).toMatchObject({ allowed: false, remaining: 2, taken: 0 })
        expect(await one({ ...own, cost: 2 })).toMatchObject({ allowed: true, remaining: 0 })
      })

      it('looks without taking when it costs nothing', async () => {
        const own = limit()
        expect(await one({ ...own, cost: 0 })).toEqual({
          allowed: true,
          remaining: 5,
          resetMs: 0,
          retryMs: 0,
          taken: 0,
        })
        await admitted(own, 5)
        expect(await one({ ...own, cost: 0 })).toMatchObject({ allowed: true, remaining: 0, taken: 0 })
      })

      it('gives back what was taken, and never more', async () => {
        const own = limit()
        await admitted(own, 5)
        await refund({ ...own, cost: 2 })
        expect(await admitted(own, 4)).toBe(2)
        await refund({ ...own, cost: 2 })
        await refund({ ...own, cost: 4 })
        await refund({ ...own, cost: 4 })
        expect(await admitted(own, 8)).toBe(5)
      })

      it('gives nothing back of what nobody took', async () => {
        const own = limit()
        await refund(own)
        expect(await admitted(own, 6)).toBe(5)
      })

      it('admits exactly as many as there is room for when all come at once', async () => {
        const own = limit({ capacity: 50 })
        const verdicts = await Promise.all(Array.from({ length: 200 }, () => charge(own)))
        expect(verdicts.filter(({ allowed }) => allowed)).toHaveLength(50)
      })
    })

    describe('several limits at once', () => {
      it('all are charged', async () => {
        const [a, b, c] = [gcra(), log({ capacity: 3 }), gcra({ capacity: 9 })]
        const verdict = await charge(a, b, c)
        expect(verdict.allowed).toBe(true)
        expect(verdict.standings.map(({ remaining }) => remaining)).toEqual([4, 2, 8])
      })

      it('or none, whichever of them is full', async () => {
        for (const [full, free] of [
          [gcra({ capacity: 1 }), log()],
          [log({ capacity: 1 }), gcra()],
        ] as const) {
          await charge(full)
          for (const order of [
            [full, free],
            [free, full],
          ]) {
            const verdict = await charge(...order)
            expect(verdict.allowed).toBe(false)
            expect(verdict.standings.map(({ allowed }) => allowed)).toEqual(
              order.map((limit) => limit === free),
            )
            expect(verdict.standings.map(({ taken }) => taken)).toEqual([0, 0])
          }
          expect((await one({ ...free, cost: 0 })).remaining).toBe(5)
        }
      })

      it('says of each when it is whole again', async () => {
        const verdict = await charge(gcra({ periodMs: 1000, cost: 3 }), log({ periodMs: 9000 }))
        expect(verdict.standings[0]?.resetMs).toBe(3000)
        expect(verdict.standings[1]?.resetMs).toBe(9000)
      })

      it('none of none', async () => {
        expect(await charge()).toEqual({ allowed: true, standings: [] })
      })
    })

    describe('gcra alone', () => {
      it('lets one token after the other back', async () => {
        const own = gcra({ periodMs: 300 })
        await admitted(own, 5)
        await target.pass(650)
        const standing = await one({ ...own, cost: 0 })
        expect(standing.remaining).toBeGreaterThanOrEqual(2)
        expect(standing.remaining).toBeLessThanOrEqual(3)
      })

      it('loses nothing where a token takes no whole number of milliseconds', async () => {
        // 7 tokens in 20 ms take 2.857 ms each: rounded up to 3 the whole burst would take 21.
        const own = gcra({ capacity: 7000, periodMs: 20 / 7, cost: 1000 })
        const resets: number[] = []
        for (let i = 0; i < 7; i++) resets.push((await one(own)).resetMs)
        expect(resets[0]).toBe(Math.ceil(20_000 / 7))
        // The time that passed is not known to the millisecond, only that none was added.
        expect(resets[6]).toBeLessThanOrEqual(20_000)
        expect(resets[6]).toBeGreaterThan(10_000)
        expect((await one({ ...own, cost: 1000 })).allowed).toBe(false)
      })

      it('takes more than the cost as far as there is more', async () => {
        const own = gcra({ capacity: 10 })
        expect(await one({ ...own, extra: 5 })).toMatchObject({ taken: 6, remaining: 4 })
        expect(await one({ ...own, extra: 5 })).toMatchObject({ taken: 4, remaining: 0 })
        expect(await one({ ...own, extra: 5 })).toMatchObject({ allowed: false, taken: 0 })
      })
    })

    describe('log alone', () => {
      it('never admits more than the limit in any stretch of its length', async () => {
        const own = log({ capacity: 4, periodMs: 1200 })
        await admitted(own, 2)
        await target.pass(700)
        expect(await admitted(own, 4)).toBe(2)
        // The first two are forgotten by now, the other two are not.
        await target.pass(700)
        expect(await admitted(own, 4)).toBe(2)
      })

      it('a refund frees a place, and the places left are those taken last', async () => {
        const own = log({ capacity: 2, periodMs: 1200 })
        await one(own)
        await target.pass(700)
        await one(own)
        await refund(own)
        await target.pass(700)
        expect((await one({ ...own, cost: 0 })).remaining).toBe(1)
      })
    })

    describe('texts', () => {
      it('there is none before one was put there', async () => {
        expect(await target.store.read(randomUUID())).toBeNull()
      })

      it('one takes the place of another only where that one stood', async () => {
        const { store } = target
        const key = randomUUID()
        expect(await store.swap(key, null, '{"a":"ü"}')).toBe(true)
        expect(await store.swap(key, null, 'x')).toBe(false)
        expect(await store.swap(key, 'y', 'x')).toBe(false)
        expect(await store.read(key)).toBe('{"a":"ü"}')
        expect(await store.swap(key, '{"a":"ü"}', '1')).toBe(true)
        // A text stays a text.
        expect(await store.read(key)).toBe('1')
      })

      it('of many at once one wins', async () => {
        const key = randomUUID()
        const swaps = Array.from({ length: 20 }, (_, i) => target.store.swap(key, null, String(i)))
        expect((await Promise.all(swaps)).filter(Boolean)).toHaveLength(1)
      })
    })
  })
}
