/**
 * Waits for `work` no longer than `timeoutMs`, then rejects with what `late` makes. The work itself goes on;
 * its own failure is nobody's any more.
 */
export const within = <T>(timeoutMs: number, work: Promise<T>, late: () => Error): Promise<T> => {
  let timer: ReturnType<typeof setTimeout> | undefined
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), timeoutMs)
  })
  return Promise.race([work, deadline]).finally(() => clearTimeout(timer))
}
