import { answerDrive } from './driven-checks.ts'

export default { fetch: answerDrive }
