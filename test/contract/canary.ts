/** What a route knows and nobody outside may ever read: not in an answer, not in a log line. */
export const CANARY = 'canary-7f3a9c51-hunter2'
