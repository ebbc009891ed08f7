import { and, desc, eq, sql } from 'drizzle-orm'
import { type Context, Hono } from 'hono'
import * as z from 'zod'
import type { Database } from '../data/database.ts'
import { neonError } from '../data/database-failure.ts'
import { CUSTOMER_STATUSES, customers } from '../data/schema.ts'
import { AppError } from '../errors.ts'
import { readJson, validated } from '../routes/read-json.ts'
import type { Cache } from '../store/cache.ts'
import { cursorSchema, encodeCursor } from './cursor.ts'

/** Text that Postgres can store: no NUL, no half of a surrogate pair. */
const text = (maximum: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(maximum)
    .refine((value) => !value.includes('\0') && value.isWellFormed(), 'Must be valid Unicode text')

const customerSchema = z.strictObject({
  name: text(200),
  email: text(320).pipe(z.email()),
  status: z.enum(CUSTOMER_STATUSES).default('active'),
})
const patchSchema = z
  .strictObject({ ...customerSchema.shape, status: z.enum(CUSTOMER_STATUSES) })
  .partial()
  .refine((patch) => Object.keys(patch).length > 0, 'Must name at least one value to change')

const querySchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  status: z.enum(CUSTOMER_STATUSES).optional(),
  cursor: cursorSchema.optional(),
})

const UNIQUE_VIOLATION = '23505'

/** `/api/customers`: list by cursor pages, newest first; create, read, replace, change, delete. */
export const customerRoutes = (database: () => Database, cache: Cache): Hono =>
  new Hono()
    .get('/', async (c) => {
      const { limit, status, cursor } = validated(querySchema, c.req.query())
      const rows = await database()
        .select()
        .from(customers)
        .where(
          and(
            status && eq(customers.status, status),
            cursor &&
              sql`(${customers.createdAt}, ${customers.id}) < (${cursor[0]}::timestamptz, ${cursor[1]}::uuid)`,
          ),
        )
        .orderBy(desc(customers.createdAt), desc(customers.id))
        .limit(limit + 1)
      const page = rows.slice(0, limit)
      const last = rows.length > limit ? page.at(-1) : undefined
      return c.json({
        data: page.map(present),
        nextCursor: last ? encodeCursor([last.createdAt, last.id]) : null,
      })
    })

    .post('/', async (c) => {
      const values = await readJson(c, customerSchema)
      const [row] = await database().insert(customers).values(values).returning().catch(taken)
      return c.json(present(row as Row), 201, { Location: `/api/customers/${(row as Row).id}` })
    })

    .get('/:id', async (c) => {
      const id = idOf(c)
      const customer = await cache.read(cacheKey(id), async () => {
        const [row] = await database().select().from(customers).where(eq(customers.id, id))
        return present(found(row))
      })
      return c.json(customer)
    })

    .put('/:id', async (c) => change(c, database(), cache, await readJson(c, customerSchema)))
    .patch('/:id', async (c) => change(c, database(), cache, await readJson(c, patchSchema)))

    .delete('/:id', async (c) => {
      const id = idOf(c)
      const [row] = await database().delete(customers).where(eq(customers.id, id)).returning()
      await cache.drop(cacheKey(id))
      found(row)
      return c.body(null, 204)
    })

type Row = typeof customers.$inferSelect

const change = async (c: Context, database: Database, cache: Cache, values: z.output<typeof patchSchema>) => {
  const id = idOf(c)
  const [row] = await database
    .update(customers)
    .set({ ...(values as Partial<Row>), updatedAt: sql`now()` })
    .where(eq(customers.id, id))
    .returning()
    .catch(taken)
  await cache.drop(cacheKey(id))
  return c.json(present(found(row)))
}

const cacheKey = (id: string): string => `parapet:customer:${id}`

const present = ({ createdAt, updatedAt, ...row }: Row) => ({
  ...row,
  createdAt: new Date(createdAt).toISOString(),
  updatedAt: new Date(updatedAt).toISOString(),
})

/** An id that cannot be one is the id of nobody. */
const idOf = (c: Context): string => {
  const id = z.guid().safeParse(c.req.param('id'))
  if (!id.success) throw new AppError('NOT_FOUND')
  return id.data
}

const found = (row: Row | undefined): Row => {
  if (!row) throw new AppError('NOT_FOUND')
  return row
}

const taken = (thrown: unknown): never => {
  if (neonError(thrown)?.code !== UNIQUE_VIOLATION) throw thrown
  throw new AppError('CONFLICT', { detail: 'A customer with this e-mail address exists.', cause: thrown })
}
