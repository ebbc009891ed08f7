import { index, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core'

export const CUSTOMER_STATUSES = ['active', 'paused', 'closed'] as const

const moment = (name: string) =>
  timestamp(name, { withTimezone: true, mode: 'string' }).notNull().defaultNow()

export const customers = pgTable(
  'customers',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    name: text('name').notNull(),
    email: text('email').notNull(),
    status: text('status', { enum: CUSTOMER_STATUSES }).notNull().default('active'),
    createdAt: moment('created_at'),
    updatedAt: moment('updated_at'),
  },
  (table) => [index('customers_created_at_id').on(table.createdAt.desc(), table.id.desc())],
)
