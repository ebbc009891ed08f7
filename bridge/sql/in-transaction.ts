import type { SqlStatement, SqlTransaction } from './sql-engine.ts'

/** A batch between the statements that open and close its transaction; without one, the statements as they are. */
export function inTransaction(
  statements: readonly SqlStatement[],
  transaction: SqlTransaction | undefined,
): readonly SqlStatement[] {
  if (!transaction) return statements
  return [{ text: start(transaction), params: [] }, ...statements, { text: 'COMMIT', params: [] }]
}

function start({ isolation, readOnly, deferrable }: SqlTransaction): string {
  const modes: string[] = []
  if (isolation) modes.push(`ISOLATION LEVEL ${isolation}`)
  if (readOnly) modes.push('READ ONLY')
  if (deferrable) modes.push('DEFERRABLE')
  return ['START TRANSACTION', modes.join(', ')].join(' ').trimEnd()
}
