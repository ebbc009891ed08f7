/** Outcomes in a row that turn what was up, or not known, down; and what was down up again. */
export const DOWN_AFTER = 3
export const UP_AFTER = 2

/** Whether a dependency counts as working, and how many outcomes in a row have said otherwise. */
export interface Standing {
  status: 'unknown' | 'up' | 'down'
  contrary: number
}

export const UNKNOWN: Standing = { status: 'unknown', contrary: 0 }

/**
 * What one more outcome makes of a standing. Only outcomes in a row count: one that agrees with the standing forgets
 * those that did not. The first success of all is believed at once.
 *
 * @example settle({ status: 'up', contrary: 2 }, false) // { status: 'down', contrary: 0 }
 */
export const settle = ({ status, contrary }: Standing, worked: boolean): Standing => {
  if (status === 'down') {
    if (!worked) return { status, contrary: 0 }
    return contrary + 1 >= UP_AFTER ? { status: 'up', contrary: 0 } : { status, contrary: contrary + 1 }
  }
  if (worked) return { status: 'up', contrary: 0 }
  return contrary + 1 >= DOWN_AFTER ? { status: 'down', contrary: 0 } : { status, contrary: contrary + 1 }
}
