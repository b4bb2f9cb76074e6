import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'

import { checkScript } from '#engine/deliver/scripts.ts'
import { compileSieve } from '#engine/sieve/compile.ts'

import { refusalSays, scriptSays } from './script-says.ts'

const SRC = join(import.meta.dirname, '../..')
const SAID =
  /\b(?:fail|failMissing|Wrong|SieveCheckError|endRun|err|error|message:)[(\s]\s*(?:\w+ === [^?]*\?\s*)?([`'])((?:\\.|(?!\1).)*)\1/gs

/** Each sentence in the sources of the checker, with something where it names something. */
function sentences(): readonly string[] {
  const files = globSync('{engine,codec}/sieve/**/*.ts', { cwd: SRC }).filter(
    (file) => !/\.(?:test|fuzz)\.ts$|from-zimbra|translate-names/.test(file),
  )
  const found = [...files, 'engine/deliver/script-warnings.ts'].flatMap((file) =>
    [...readFileSync(join(SRC, file), 'utf8').matchAll(SAID)].map(([, , text]) => text!),
  )
  return [...new Set(found)].map((text) =>
    text.replace(/\$\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}/g, 'X1').replaceAll('\\\\', '\\'),
  )
}

describe('what is said of a script, in Japanese', () => {
  it('is there for each sentence of the checker', () => {
    const all = sentences()
    assert.ok(all.length > 100, `looked at ${all.length}`)
    assert.deepEqual(
      all.filter((each) => !scriptSays(each, 'ja').isOwn),
      [],
    )
  })

  it('names what the sentence names, a sentence within one too', () => {
    const said = (script: string): readonly string[] => {
      const compiled = compileSieve(script)
      assert.ok(!compiled.ok)
      return compiled.error.map(({ message }) => scriptSays(message, 'ja').text)
    }
    assert.deepEqual(said('fileintoo "会議";'), ['「fileintoo」というコマンドはありません'])
    assert.deepEqual(said('fileinto "会議";'), [
      'fileinto を使うには require "fileinto"; が必要です',
    ])
    assert.deepEqual(said('require "regex"; if header :regex "subject" "(会" { keep; }'), [
      '正規表現「(会」: 「(」に対応する「)」がありません',
    ])
    assert.deepEqual(said('if header :contains "subject" { keep; }'), [
      'header に必要な引数がありません',
    ])
    assert.equal(scriptSays('a stranger sentence', 'ja').isOwn, false)
    assert.equal(scriptSays('there is no test "x"', 'en').text, 'there is no test "x"')
  })

  it('tells each line of a refusal, however many there are', () => {
    const refused = checkScript('keep;\nbogus "会議";\nfileinto "x; line 2: y";\n')
    assert.equal(refused?.code, 'invalid')
    assert.equal(
      refusalSays(refused.message, 'ja'),
      '2 行目: 「bogus」というコマンドはありません / 3 行目: fileinto を使うには require "fileinto"; が必要です',
    )
    assert.equal(refusalSays(refused.message, 'en'), refused.message)
    const many = checkScript('bogus;\n'.repeat(25))
    assert.match(refusalSays(many!.message, 'ja'), /^1 行目: .* \/ 20 行目: [^/]* \/ ほか 5 件$/)
    assert.equal(refusalSays('the script is not UTF-8', 'ja'), 'スクリプトが UTF-8 ではありません')
  })
})
