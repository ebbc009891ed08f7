import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const LENGTH = 32

/** The operator token kept in a file that only its owner may read. Made when there is none that will do. */
export function operatorToken(file: string): string {
  const kept = existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
  if (kept.length >= LENGTH) return kept
  const token = randomBytes(LENGTH).toString('base64url')
  writeFileSync(file, `${token}\n`, { mode: 0o600 })
  return token
}
