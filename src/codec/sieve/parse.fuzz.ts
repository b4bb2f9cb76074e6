import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseSieve } from './parse.ts'

const SEED = 20_261_128
const WORDS = ['if ', 'x', '(', ')', '{', '}', '[', ']', ',', ';', '"', '\\', 'text:\r\n', '.\r\n', '/*', '*/', '#渡り\n', ':tag ', '10K ', '"渡り"'] // prettier-ignore

test('any text has commands or a fault in one of its lines', () => {
  const words = fc.array(fc.constantFrom(...WORDS), { maxLength: 30 }).map((all) => all.join(''))
  fc.assert(
    fc.property(fc.oneof(words, fc.string({ unit: 'binary', maxLength: 100 })), (text) => {
      const parsed = parseSieve(text)
      const lines = text.split('\n').length
      if (!parsed.ok) assert.ok(parsed.error.line >= 1 && parsed.error.line <= lines + 1)
      else assert.ok(parsed.value.commands.every(({ line }) => line >= 1 && line <= lines))
    }),
    { numRuns: 2_000, seed: SEED },
  )
})
