import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { it } from 'node:test'

import { compileSieve } from './compile.ts'
import { SIEVE_EXTENSIONS } from './extensions.ts'

it('the manual tells of every extension', () => {
  const manual = readFileSync(`${import.meta.dirname}/../../../docs/operations/README.md`, 'utf8')
  const [, table = ''] = manual.split('### What scripts may require')
  for (const name of Object.keys(SIEVE_EXTENSIONS)) assert.ok(table.includes(`\`${name}\``), name)
})

it('every extension of the list can be required, alone and with all others, and says where it is defined', () => {
  const names = Object.keys(SIEVE_EXTENSIONS)
  assert.ok(names.length > 10)
  for (const name of names) assert.equal(compileSieve(`require "${name}";`).ok, true, name)
  assert.equal(compileSieve(`require ${JSON.stringify(names)};`).ok, true)
  for (const defined of Object.values(SIEVE_EXTENSIONS))
    assert.match(defined, /^(?:RFC \d+|draft-)/)
})
