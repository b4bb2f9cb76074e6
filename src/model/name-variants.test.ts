import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NAME_VARIANTS, withoutVariants } from './name-variants.ts'

describe('forms of one kanji in names', () => {
  it('are one, whichever is written', () => {
    for (const [one, other] of [
      ['髙橋', '高橋'],
      ['山﨑 濵子', '山崎 浜子'],
      ['渡邉', '渡邊'],
      ['齋藤', '斉藤'],
      ['𠮷田', '吉田'],
      ['Ōsawa 澤', 'Ōsawa 沢'],
    ] as const)
      assert.equal(withoutVariants(one), withoutVariants(other))
    assert.notEqual(withoutVariants('高島'), withoutVariants('高嶺'))
  })

  it('stand in one group each, as letters that normalisation leaves apart', () => {
    const seen = new Set<string>()
    for (const group of NAME_VARIANTS) {
      const [...forms] = group
      assert.ok(forms.length > 1, group)
      for (const form of forms) {
        assert.match(form, /^\p{Script=Han}$/u, group)
        assert.equal(form.normalize('NFKC'), form, group)
        assert.ok(!seen.has(form), `${form} twice`)
        seen.add(form)
      }
    }
    assert.ok(seen.size > 300)
  })

  it('do not change what is one form already', () => {
    for (const group of NAME_VARIANTS)
      assert.equal(withoutVariants(withoutVariants(group)), withoutVariants(group))
  })
})
