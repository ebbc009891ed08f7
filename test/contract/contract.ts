import { afterAll, describe } from 'vitest'
import { authenticationCases } from './authentication.cases.ts'
import { blockedCases, unblockedCases } from './blocked.cases.ts'
import { BODY_LIMIT, bodyCases } from './body.cases.ts'
import { canonicalRequestCases } from './canonical-request.cases.ts'
import { clientAddressCases } from './client-address.cases.ts'
import { connectionsCases } from './connections.cases.ts'
import { corsCases } from './cors.cases.ts'
import { degradedEnvironments } from './degraded.cases.ts'
import { dependenciesCases } from './dependencies.cases.ts'
import { drainingCases } from './draining.cases.ts'
import { elsewhereCases } from './elsewhere.cases.ts'
import { environmentCases } from './environment.cases.ts'
import { errorsCases } from './errors.cases.ts'
import { describeServer, OPERATOR_TOKEN } from './harness.ts'
import { headersCases } from './headers.cases.ts'
import { healthCases } from './health.cases.ts'
import { idsCases } from './ids.cases.ts'
import { inFrontCases } from './in-front.cases.ts'
import { invalidEnvironmentCases } from './invalid-environment.cases.ts'
import { jsonBodyCases } from './json-body.cases.ts'
import { limitsCases } from './limits.cases.ts'
import { maintenanceCases } from './maintenance.cases.ts'
import { overloadCases } from './overload.cases.ts'
import { pagesCases } from './pages.cases.ts'
import { probesCases } from './probes.cases.ts'
import { endAll, type Runtime } from './runtimes.ts'
import { startingCases } from './starting.cases.ts'

const PRODUCTION = {
  NODE_ENV: 'production',
  INTERNAL_API_KEY: OPERATOR_TOKEN,
  CORS_ORIGIN: 'https://app.example, https://admin.example:8443',
  BASE_URL: 'https://base.example/api',
  REPLIT_DOMAINS: 'repl.example',
  BODY_LIMIT_BYTES: String(BODY_LIMIT),
  REQUEST_TIMEOUT_MS: '400',
}

/** What section 2 to 5 and 13 of the contract promise, on one runtime. */
export const contract = (runtime: Runtime): void => {
  describe(`the contract on ${runtime}`, () => {
    afterAll(endAll)

    describeServer('in production', runtime, { env: PRODUCTION }, (server) => {
      headersCases(server)
      idsCases(server)
      probesCases(server)
      canonicalRequestCases(server)
      blockedCases(server)
      corsCases(server)
      bodyCases(server)
      jsonBodyCases(server)
      connectionsCases(server)
      authenticationCases(server)
      pagesCases(server)
      errorsCases(server)
    })

    const STAGING = { ...PRODUCTION, NODE_ENV: 'staging' }
    describeServer('in staging', runtime, { env: STAGING }, (server) => {
      blockedCases(server, { production: false })
      elsewhereCases(server)
    })

    // The database is there only so that none is started beside it.
    const DEVELOPMENT = {
      ...PRODUCTION,
      NODE_ENV: 'development',
      DATABASE_URL: 'postgres://app:app@127.0.0.1:1/app',
      NEON_FETCH_ENDPOINT: 'http://127.0.0.1:1/sql',
    }
    describeServer('in development', runtime, { env: DEVELOPMENT }, (server) => {
      unblockedCases(server)
      elsewhereCases(server)
    })

    dependenciesCases(runtime)
    healthCases(runtime)
    inFrontCases(runtime)
    clientAddressCases(runtime)
    limitsCases(runtime)
    maintenanceCases(runtime)
    degradedEnvironments(runtime)
    environmentCases(runtime)
    invalidEnvironmentCases(runtime)
    startingCases(runtime)
    drainingCases(runtime)
    overloadCases(runtime)
  })
}
