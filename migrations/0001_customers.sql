create table customers (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  email text not null,
  status text not null default 'active' constraint customers_status_known check (status in ('active', 'paused', 'closed')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

-- An address is one customer, however it is written.
create unique index customers_email_unique on customers (lower(email));

-- Cursor pages, newest first: the id decides between rows of the same instant.
create index customers_newest on customers (created_at desc, id desc);
