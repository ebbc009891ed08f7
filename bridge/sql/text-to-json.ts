const BOOL = 16
const INT2 = 21
const INT4 = 23
const JSON_TYPE = 114
const FLOAT4 = 700
const FLOAT8 = 701
const JSONB = 3802
const TEXT = 25

/**
 * Array types and what they hold (pg_type.dat of PostgreSQL 18). Element types that are strings in JSON anyway all
 * count as text. An array of a type that is not built in stays a string: its OID differs from database to database.
 */
const ELEMENTS = new Map([
  [1000, BOOL],
  [1005, INT2],
  [1007, INT4],
  [1021, FLOAT4],
  [1022, FLOAT8],
  [199, JSON_TYPE],
  [3807, JSONB],
  // bytea char name tid xid int8 oid text bpchar varchar timestamp date time timestamptz interval numeric timetz
  ...[
    1001, 1002, 1003, 1010, 1011, 1016, 1028, 1009, 1014, 1015, 1115, 1182, 1183, 1185, 1187, 1231, 1270,
  ].map((array) => [array, TEXT] as const),
  // bit varbit money xml macaddr inet cidr uuid, then the ranges of int4 numeric timestamp timestamptz date int8
  ...[1561, 1563, 791, 143, 1040, 1041, 651, 2951, 3905, 3907, 3909, 3911, 3913, 3927].map(
    (array) => [array, TEXT] as const,
  ),
])

/**
 * Postgres text as JSON text, by the rules of Neon's proxy for callers that do not ask for raw text: bool, int2, int4,
 * finite floats, json, jsonb and arrays become JSON; all else is a string, as JSON numbers would round int8 and numeric.
 * Numbers and documents are passed on by the letter, never through a JavaScript number.
 *
 * @example textToJson('{1,NULL}', 1007) // '[1,null]'
 */
export function textToJson(text: string, dataTypeID: number): string {
  const element = ELEMENTS.get(dataTypeID)
  if (element !== undefined) return arrayToJson(text, element)
  switch (dataTypeID) {
    case BOOL:
      return String(text === 't')
    case INT2:
    case INT4:
    case JSON_TYPE:
    case JSONB:
      return text
    case FLOAT4:
    case FLOAT8:
      return Number.isFinite(Number(text)) ? text : JSON.stringify(text)
    default:
      return JSON.stringify(text)
  }
}

/** https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO */
function arrayToJson(text: string, element: number): string {
  // Bounds such as `[0:1]=` have no JSON.
  const body = text.startsWith('[') ? text.slice(text.indexOf('=') + 1) : text
  const tokens = /[{},]|"(?:[^"\\]|\\.)*"|[^{},"]+/gs
  return body.replace(tokens, (token) => {
    if (token === '{') return '['
    if (token === '}') return ']'
    if (token === ',') return ','
    if (token.startsWith('"')) return textToJson(token.slice(1, -1).replace(/\\(.)/gs, '$1'), element)
    return token === 'NULL' ? 'null' : textToJson(token, element)
  })
}
