import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compileSieve } from './compile.ts'

/** One machine's run is another's. */
const SEED = 20_261_127

const WORDS = [
  'require ', '["fileinto", "copy"]', 'require "fileinto";\r\n', 'if ', 'elsif ', 'else ', 'not ', 'anyof', 'allof',
  '(', ')', '{', '}', '[', ']', ',', ';', '"', '\\', ' ', '\r\n', 'header ', ':is ', ':contains ', ':matches ', ':comparator ',
  '"i;ascii-casemap" ', '"Subject" ', '"渡り*" ', 'fileinto "Junk/SPAM"', 'keep', 'discard', 'stop', 'redirect "a@b.example"',
  'size :over 10K', '99999999999999M', 'text:\r\n', '.\r\n', '..', '/* ', ' */', '# コメント\r\n', '${hex:41}', '\0', 'spamtest ', ':value "ge" ',
  'exists ', 'address :localpart ', 'reject "いいえ"', 'setflag "\\\\Seen"', 'true', 'false',
] // prettier-ignore
const likeScripts = fc
  .array(fc.constantFrom(...WORDS), { maxLength: 40 })
  .map((words) => words.join(''))

test('any text is a script, or is told what is wrong with it and in which line', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), likeScripts), (text) => {
      const compiled = compileSieve(text)
      if (compiled.ok) return
      const lines = text.split('\n').length
      assert.ok(compiled.error.length > 0)
      for (const { line, message } of compiled.error) {
        assert.ok(line >= 1 && line <= lines + 1, `line ${line} of ${lines}`)
        assert.ok(message !== '')
      }
    }),
    { numRuns: 3_000, seed: SEED },
  )
})

test('bombs of nesting, lists, strings and comments are read to their end or refused', () => {
  const many = 100_000
  for (const text of [
    '('.repeat(many),
    'if not '.repeat(many),
    `if ${'allof('.repeat(many)}`,
    `if true {`.repeat(many),
    `keep; `.repeat(many),
    `require [${'"copy",'.repeat(many)}"copy"];`,
    `redirect "${'a'.repeat(many)}@b.example";`,
    '/*'.repeat(many),
    'text:\r\n'.repeat(many),
    '"'.repeat(many),
    '$'.repeat(many),
    `discard "${'${hex:'.repeat(many)}";`,
    '渡'.repeat(many),
  ])
    compileSieve(text)
})
