#!/usr/bin/env node
// run.mjs FILE ARGS: runs a TypeScript file of ours under Node 26.
import { runUnderNode26 } from './node26.mjs'

const [file, ...args] = process.argv.slice(2)
if (file === undefined) {
  process.stderr.write('usage: node bin/run.mjs FILE [ARGUMENT]...\n')
  process.exit(2)
}
await runUnderNode26(file, args)
