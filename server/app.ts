import { createApp } from '../src/parapet.ts'

/** The server of this repository: the reference API behind the gates, or the API at `ORIGIN_URL`. */
export const app = createApp({ reference: true })
