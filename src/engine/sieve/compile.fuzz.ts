import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sieveMail } from '#test/fake/sieve-mail.ts'
import { compileSieve } from './compile.ts'
import type { SieveProgram } from './language.ts'
import { runSieve } from './run.ts'

/** One machine's run is another's. */
const SEED = 20_261_127

const WORDS = [
  'require ', '["fileinto", "copy"]', 'require "fileinto";\r\n', 'if ', 'elsif ', 'else ', 'not ', 'anyof', 'allof',
  '(', ')', '{', '}', '[', ']', ',', ';', '"', '\\', ' ', '\r\n', 'header ', ':is ', ':contains ', ':matches ', ':comparator ',
  '"i;ascii-casemap" ', '"Subject" ', '"渡り*" ', 'fileinto "Junk/SPAM"', 'keep', 'discard', 'stop', 'redirect "a@b.example"',
  'size :over 10K', '99999999999999M', 'text:\r\n', '.\r\n', '..', '/* ', ' */', '# コメント\r\n', '${hex:41}', '\0', 'spamtest ', ':value "ge" ',
  'exists ', 'address :localpart ', 'reject "いいえ"', 'setflag "\\\\Seen"', 'true', 'false',
  'require ["variables", "regex", "include", "ihave", "mime", "foreverypart", "replace", "enclose", "extracttext", "editheader", "date", "body", "index"];', 'set ', ':upper ', '"${a}${1}" ', ':regex ', '"(a*)*[渡-鳥]"', 'date ', 'currentdate ', '"hour"', 'body ', ':content ', ':raw ', 'include ', 'global ', 'return', 'ihave ', 'error ', 'foreverypart ', 'break', ':mime ', ':anychild ', 'replace ', 'enclose ', 'extracttext ', ':first 3 ', 'addheader ', 'deleteheader ', ':index 2 ', ':last ', '"a" ', '"b";',
] // prettier-ignore
const REQUIRE =
  'require ["fileinto", "variables", "regex", "body", "mime", "foreverypart", "replace", "enclose", "extracttext", "editheader", "date", "index", "include", "ihave"];'
const likeScripts = fc
  .array(fc.constantFrom(...WORDS), { maxLength: 40 })
  .map((words) => words.join(''))

test('any text is a script, or is told what is wrong with it and in which line', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), likeScripts), (text) => {
      const compiled = compileSieve(text)
      // What is right runs to an end, or to a fault with its line.
      if (compiled.ok) return runs(compiled.value)
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

const mail = sieveMail(
  'Subject: 渡り\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n本文\n--b--\n',
)
function runs(program: SieveProgram): void {
  const run = runSieve(program, { ...mail, scripts: () => program })
  if (!run.ok) assert.ok(run.error.line >= 1 && run.error.message !== '')
}

const COMMANDS = [
  'set "a" "${a}${0}x";', 'set :quotewildcard :length "b" "${a}";', 'addheader "X-A" "${a}";', 'deleteheader :matches "x-a" "*x";',
  'replace "${a}";', 'enclose :subject "${a}" "渡り";', 'foreverypart {', '}', 'break;', 'extracttext :first 3 "a";', 'if not exists "subject" {',
  'if header :matches "subject" "*${a}?" {', 'if body :contains "${a}" {', 'if header :regex :mime :anychild "content-type" "(.*)/(x|.)*" {',
  'if date :index 1 "date" "julian" "${a}" {', 'include :optional "x";', 'return;', 'stop;', 'keep;', 'fileinto "${a}";', 'if ihave "vnd.x" {', 'error "${a}";',
] // prettier-ignore

test('whatever commands stand together, a run ends in a result or a fault', () => {
  const scripts = fc
    .array(fc.constantFrom(...COMMANDS), { maxLength: 30 })
    .map(
      (all) =>
        `${REQUIRE}${all.join('\n')}${'}'.repeat(all.filter((each) => each.endsWith('{')).length)}`,
    )
  let ran = 0
  fc.assert(
    fc.property(scripts, (script) => {
      const compiled = compileSieve(script)
      if (!compiled.ok) return
      ran++
      runs(compiled.value)
    }),
    { numRuns: 2_000, seed: SEED },
  )
  assert.ok(ran > 100, `${ran} ran`)
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
    `require "variables"; set "a" "${'${a}'.repeat(many)}";`,
    `require ["regex", "variables"]; if string :regex "a" "${'(a*)*'.repeat(many)}" {}`,
    `require "foreverypart"; ${'foreverypart {'.repeat(many)}`,
    `require "include"; ${'include "x";'.repeat(many)}`,
    `require "ihave"; ${'bogus;'.repeat(many)}`,
  ])
    compileSieve(text)
})
