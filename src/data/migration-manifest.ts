// Written by dev/write-migration-manifest.ts: a Worker has no file system in which to look.

/** The ids of the migrations that this build needs, in order. */
export const MIGRATIONS: readonly string[] = ['0001_customers']
