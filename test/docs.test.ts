import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { ERRORS } from '../src/errors.ts'

const root = resolve(import.meta.dirname, '..')
const pages = ['README.md', 'CHANGELOG.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)]
const read = (page: string) => readFileSync(join(root, page), 'utf8')

test('docs/errors.md has every code, and no other', () => {
  const rows = Object.entries(ERRORS).map(
    ([code, [status, , message]]) => `| \`${code}\` | ${status} | ${message} |`,
  )
  expect(
    read('docs/errors.md')
      .split('\n')
      .filter((line) => /^\| `[A-Z_]+`/.test(line)),
  ).toEqual(rows)
})

test.each(pages)('%s links only to what exists', (page) => {
  const links = [...read(page).matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link]) => link as string)
  for (const link of links) expect(() => readFileSync(resolve(root, page, '..', link)), link).not.toThrow()
})

test('every script that the README names is in package.json', () => {
  const { scripts } = JSON.parse(read('package.json'))
  const named = [...read('README.md').matchAll(/(?:^|`)npm (?:run )?((?!ci\b)[a-z][a-z:]+)/gm)].map(
    ([, name]) => name,
  )
  expect(named.length).toBeGreaterThan(5)
  for (const name of named) expect(Object.keys(scripts)).toContain(name)
})
