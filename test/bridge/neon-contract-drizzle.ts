import { NeonDbError, neon } from '@neondatabase/serverless'
import { count, DrizzleQueryError, eq, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/neon-http'
import { bigint, integer, jsonb, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import { relations } from 'drizzle-orm/relations'
import { beforeAll, describe, expect, test } from 'vitest'
import type { NeonEndpoint } from './neon-endpoint.ts'

const authors = pgTable('authors', {
  id: integer().primaryKey(),
  name: text().notNull(),
  views: bigint({ mode: 'bigint' }).notNull(),
  profile: jsonb().$type<{ likes: string[] }>(),
  tags: text().array(),
  joinedAt: timestamp('joined_at', { withTimezone: true }).notNull().defaultNow(),
})
const books = pgTable('books', {
  id: integer().primaryKey(),
  title: text().notNull(),
  authorId: integer('author_id')
    .notNull()
    .references(() => authors.id),
})
const schema = {
  authors,
  books,
  authorRelations: relations(authors, ({ many }) => ({ books: many(books) })),
  bookRelations: relations(books, ({ one }) => ({
    author: one(authors, { fields: [books.authorId], references: [authors.id] }),
  })),
}

export function drizzleContract(endpoint: () => NeonEndpoint): void {
  describe('drizzle-orm/neon-http', () => {
    const connect = () => drizzle({ client: neon(endpoint().connectionString), schema })
    const ursula = {
      id: 1,
      name: 'Ursula',
      views: 9007199254740993n,
      profile: { likes: ['🐉'] },
      tags: ['a"b', 'c'],
    }

    beforeAll(async () => {
      const db = connect()
      await db.execute(sql`create table authors (id int primary key, name text not null, views int8 not null,
        profile jsonb, tags text[], joined_at timestamptz not null default now())`)
      await db.execute(
        sql`create table books (id int primary key, title text not null, author_id int not null references authors)`,
      )
      await db.insert(authors).values(ursula)
      await db.insert(books).values([
        { id: 1, title: 'Always Coming Home', authorId: 1 },
        { id: 2, title: 'The Lathe of Heaven', authorId: 1 },
      ])
    })

    test('select gives back what insert was given', async () => {
      const [row] = await connect().select().from(authors).where(eq(authors.id, 1))
      expect(row).toMatchObject(ursula)
      expect(row?.joinedAt).toBeInstanceOf(Date)
    })

    test('db.query follows relations', async () => {
      const found = await connect().query.authors.findMany({ with: { books: { columns: { title: true } } } })
      expect(found[0]?.books.map(({ title }) => title).sort()).toEqual([
        'Always Coming Home',
        'The Lathe of Heaven',
      ])
      expect(found[0]?.views).toBe(ursula.views)
    })

    test('db.$count counts', async () => {
      expect(await connect().$count(books)).toBe(2)
    })

    test('db.batch is one transaction', async () => {
      const db = connect()
      const [inserted, counted] = await db.batch([
        db.insert(books).values({ id: 3, title: 'Four Ways to Forgiveness', authorId: 1 }).returning(),
        db.select({ n: count() }).from(books),
      ])
      expect([inserted, counted]).toEqual([
        [{ id: 3, title: 'Four Ways to Forgiveness', authorId: 1 }],
        [{ n: 3 }],
      ])
      const failing = db.batch([
        db.delete(books),
        db.insert(books).values({ id: 9, title: 'x', authorId: 404 }),
      ])
      // Unlike a single query's, a batch's error is not wrapped.
      await expect(failing).rejects.toMatchObject({ name: 'NeonDbError', code: '23503' })
      expect(await db.$count(books)).toBe(3)
      await db.delete(books).where(eq(books.id, 3))
    })

    test("an error is a DrizzleQueryError whose cause is the driver's", async () => {
      const error = await connect()
        .insert(authors)
        .values(ursula)
        .then(
          () => expect.unreachable(),
          (failure) => failure,
        )
      expect(error).toBeInstanceOf(DrizzleQueryError)
      expect(error.cause).toBeInstanceOf(NeonDbError)
      expect(error.cause).toMatchObject({ code: '23505', constraint: 'authors_pkey' })
    })
  })
}
