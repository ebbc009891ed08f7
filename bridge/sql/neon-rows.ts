import type { SqlField, SqlResult } from './sql-engine.ts'
import { textToJson } from './text-to-json.ts'

/** How rows are written. `raw`: every value stays Postgres text. `asArray`: a row is an array, not an object. */
export interface RowStyle {
  raw: boolean
  asArray: boolean
}

/**
 * One result as the JSON of Neon's protocol, a piece at a time, so that the caller can stop at its limit. `tableID`
 * and `columnID` stay numbers for computed columns: callers compare fields with those of node-postgres.
 */
export function* neonRows(result: SqlResult, { raw, asArray }: RowStyle): Generator<string> {
  const { command, rowCount, fields, rows } = result
  const described = fields.map((field) => ({ ...pick(field), format: 'text' }))
  yield `{"command":${JSON.stringify(command)},"rowCount":${rowCount},"fields":${JSON.stringify(described)},`
  yield `"rowAsArray":${asArray},"rows":[`
  const keys = fields.map(({ name }) => `${JSON.stringify(name)}:`)
  let comma = ''
  for (const row of rows) {
    yield comma
    comma = ','
    if (raw && asArray) yield JSON.stringify(row)
    else {
      const values = row.map((value, at) => encode(value, raw ? 0 : (fields[at]?.dataTypeID ?? 0)))
      yield asArray ? `[${values.join()}]` : `{${values.map((value, at) => `${keys[at]}${value}`).join()}}`
    }
  }
  yield ']}'
}

function encode(value: string | null, dataTypeID: number): string {
  if (value === null) return 'null'
  return dataTypeID === 0 ? JSON.stringify(value) : textToJson(value, dataTypeID)
}

function pick({ name, dataTypeID, tableID, columnID, dataTypeSize, dataTypeModifier }: SqlField) {
  return { name, dataTypeID, tableID, columnID, dataTypeSize, dataTypeModifier }
}
