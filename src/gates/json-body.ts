import { AppError } from '../errors.ts'

/** How deep objects and arrays may be nested in a request body. */
export const MAX_DEPTH = 64

/**
 * Parses a request body strictly: bounded depth, and no key that could reach an object's prototype.
 *
 * @throws {@link AppError} `INVALID_JSON`
 */
export const parseJson = (text: string): unknown => {
  if (deeperThan(text, MAX_DEPTH)) {
    throw new AppError('INVALID_JSON', {
      detail: `The request body is nested deeper than ${MAX_DEPTH} levels.`,
    })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new AppError('INVALID_JSON')
  }
  // An escape can spell any letter, so a backslash is reason enough to look.
  if (/__proto__|constructor|\\u/.test(text)) refusePrototypeKeys(value)
  return value
}

const refusePrototypeKeys = (value: unknown): void => {
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) {
    const reachesPrototype =
      key === '__proto__' ||
      (key === 'constructor' &&
        typeof inner === 'object' &&
        inner !== null &&
        Object.hasOwn(inner, 'prototype'))
    if (reachesPrototype) {
      throw new AppError('INVALID_JSON', { detail: 'The request body holds a key that is not accepted.' })
    }
    refusePrototypeKeys(inner)
  }
}

const deeperThan = (text: string, limit: number): boolean => {
  let depth = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (inString) {
      if (code === 92 /* \ */) i++
      else if (code === 34 /* " */) inString = false
    } else if (code === 34) inString = true
    else if (code === 91 /* [ */ || code === 123 /* { */) {
      if (++depth > limit) return true
    } else if (code === 93 || code === 125) depth--
  }
  return false
}
