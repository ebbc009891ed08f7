import { contract } from './contract.ts'

contract('workerd')
