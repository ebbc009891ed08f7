/**
 * Parapet: production guardrails for HTTP APIs, at the edge.
 *
 * @module
 */
export { type App, type AppOptions, createApp } from './app.ts'
export { AppError, type ErrorCode, type Issue, type Refusal } from './errors.ts'
export { authenticate } from './gates/authenticate.ts'
export { blockedEndpoints, blockedPath } from './gates/blocked-endpoints.ts'
export { bodyLimit } from './gates/body-limit.ts'
export { canonicalRequest } from './gates/canonical-request.ts'
export { cors } from './gates/cors.ts'
export type { Gate, Outcome, Visit } from './gates/gate.ts'
export { type MaintenanceGateOptions, maintenance } from './gates/maintenance.ts'
export { type OverloadOptions, overload } from './gates/overload.ts'
export { rateLimits } from './gates/rate-limit.ts'
export type { Check, Criticality } from './health/check.ts'
export { CheckFailure, type FailureCode } from './health/failure.ts'
export type { Principal } from './identity/principal.ts'
export type { Duration, Policy } from './limits/policy.ts'
export { destructive } from './routes/destructive.ts'
export { readJson } from './routes/read-json.ts'
export { visitOf } from './routes/visit-of.ts'
export { wear } from './routes/wear.ts'
