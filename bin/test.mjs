#!/usr/bin/env node
// `npm test`: installs what is missing, then sets up and runs the tests.
import { join } from 'node:path'
import { ROOT, runUnderNode26 } from './node26.mjs'

await runUnderNode26(join(ROOT, 'tools/test.ts'), process.argv.slice(2))
