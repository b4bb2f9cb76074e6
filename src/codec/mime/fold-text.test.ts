import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { foldMapped, foldText, hasText } from './fold-text.ts'

const isFound = (text: string, term: string): boolean => hasText(foldText(text), foldText(term))

test('width, case, kana, accents, dashes and quotes are one', () => {
  for (const [a, b] of [
    ['ｶﾞｲﾀﾞﾝｽ', 'ガイダンス'],
    ['がいだんす', 'ガイダンス'],
    ['ＡＢＣ１２３', 'abc123'],
    ['データー', 'ﾃﾞｰﾀｰ'],
    ['㈱渡り ①', '(株)渡り 1'],
    ['か\u3099くせい', 'がくせい'],
    ['Straße', 'STRASSE'],
    ['RÉSUMÉ', 'resume'],
    ['re\u0301sume\u0301', 'résumé'],
    ['ΟΔΟΣ', 'οδός'],
    ['İstanbul', 'istanbul'],
    ['九〜五', '九～五'],
    ['A−B', 'a-b'],
    ['don’t', "don't"],
    ['霞ヶ関', '霞ケ関'],
    ['髙橋', '高橋'],
    ['𠮷野', '吉野'],
    ['葛󠄀城', '葛城'],
    ['soft\u00adhyphen', 'softhyphen'],
  ] as const)
    assert.equal(foldText(a), foldText(b), `${a} ${b}`)
})

test('what is another word stays another', () => {
  for (const [a, b] of [
    ['か', 'が'],
    ['つ', 'っ'],
    ['ー', '-'],
    ['ハ', 'バ'],
    ['й', 'и'],
    ['会議', '会義'],
  ] as const)
    assert.notEqual(foldText(a), foldText(b), `${a} ${b}`)
})

test('a word over a line end is found, with and without blanks in scripts that have none', () => {
  assert.ok(isFound('次の会\r\n議は', '会議'))
  assert.ok(isFound('次の会 \r\n　議は', '会議')) // format=flowed, and an indent
  assert.ok(isFound('山田　太郎様', '山田太郎'))
  assert.ok(isFound('山田太郎様', '山田 太郎'))
  assert.ok(isFound('資料\r\nABCの件', '資料ABC'))
  assert.ok(isFound('the quick\r\nbrown  fox', 'quick brown fox'))
  assert.ok(!isFound('thequick', 'the quick'))
})

test('a blank at the edge of a term is looked for, also where it was beside Japanese', () => {
  assert.ok(isFound('ABC 資料', 'ABC '))
  assert.ok(isFound('資料 ABC', ' ABC'))
  assert.ok(isFound('an ABC here', ' ABC '))
  assert.ok(!isFound('ABCD', 'ABC '))
  assert.ok(!isFound('XABC', ' ABC'))
  assert.ok(isFound('会議 資料', ' '))
  assert.ok(!isFound('', ' '))
})

const letters = fc.constantFrom(
  ...Array.from('会議資料渡り鳥カイギかいぎｶｷﾊーabcXYZé ßΣς①㈱〜- 　\r\n\t\u200b髙𠮷👍İ가ᄀ'),
  'e\u0301',
  'か\u3099',
  'ｶﾞ',
)
const texts = fc.array(letters, { maxLength: 40 }).map((list) => list.join(''))

test('any part of a text is found in it', () => {
  fc.assert(
    fc.property(texts, texts, texts, (before, term, after) => {
      assert.ok(isFound(before + term + after, term))
    }),
    { numRuns: 3_000 },
  )
})

test('folded text stays as it is, and the mapped form is the same text', () => {
  fc.assert(
    fc.property(texts, fc.string({ unit: 'binary' }), (text, noise) => {
      const folded = foldText(text)
      assert.equal(foldText(folded), folded)
      const mapped = foldMapped(text + noise)
      assert.equal(mapped.starts.length, mapped.text.length)
      assert.equal(mapped.ends.length, mapped.text.length)
    }),
    { numRuns: 3_000 },
  )
  for (const text of ['会議 ABC　ｶﾞｲﾄﾞ', 'Straße und ㈱', ' a b '])
    assert.equal(foldMapped(text).text, foldText(text))
  const { text, starts, ends } = foldMapped('前㈱ ｶﾞ後')
  const at = text.indexOf('ガ')
  assert.equal('前㈱ ｶﾞ後'.slice(starts[at], ends[at]), 'ｶﾞ')
})

test('a run of marks takes linear time: the square of it would be minutes', () => {
  const began = performance.now()
  const folded = foldText(`会議${'\u0315\u0300'.repeat(500_000)}資料`)
  assert.ok(folded.startsWith('会議') && folded.endsWith('資料'))
  assert.ok(performance.now() - began < 30_000)
})
