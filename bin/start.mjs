#!/usr/bin/env node
// `npm start`: installs what is missing, then runs the supervisor in the foreground.
import { join } from 'node:path'
import { ROOT, runUnderNode26 } from './node26.mjs'

await runUnderNode26(join(ROOT, 'src/app/main.ts'), process.argv.slice(2))
