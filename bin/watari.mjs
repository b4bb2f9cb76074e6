#!/usr/bin/env node
// `npx watari`: the command line, under Node 26.
import { join } from 'node:path'
import { ROOT, runUnderThisNode26 } from './node26.mjs'

await runUnderThisNode26(join(ROOT, 'src/app/cli.ts'), process.argv.slice(2))
