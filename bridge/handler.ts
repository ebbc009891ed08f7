/** One wire protocol, spoken by a plain function: what a browser's `fetch` sends in, what it gets back. */
export type Handler = (request: Request) => Promise<Response>
