import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { equalAddress, formatAddress, parseAddress } from '#model/address.ts'
import { addr } from '#test/fake/directory.ts'
import { newListKey } from './list-key.ts'
import { bouncedPost, verpAddress } from './verp.ts'

const BOUNCES = addr('seminar-bounces@campus.example')
const verp = { key: newListKey(), post: 12 }
const detailOf = (text: string): string => text.slice(text.indexOf('+') + 1, text.lastIndexOf('@'))

describe('a reverse-path that names its recipient', () => {
  for (const text of [
    'hanako@else.example',
    'a=b+c@else.example',
    '"a b"@else.example',
    '花子@例え.example',
    'A..B@docomo.example',
  ])
    it(`comes back with ${text}, though its case has changed`, () => {
      const path = verpAddress(BOUNCES, verp, addr(text))
      assert.ok(parseAddress(formatAddress(path)).ok)
      const found = bouncedPost(detailOf(formatAddress(path)), verp.key)
      assert.equal(found?.post, 12)
      assert.ok(equalAddress(found.member!, addr(text)))
      const plain = /^[a-z.]+@/i.test(text)
      if (plain) assert.ok(bouncedPost(detailOf(formatAddress(path).toUpperCase()), verp.key))
    })

  it('is believed of nobody else, of no other post, and by no other key', () => {
    const detail = detailOf(formatAddress(verpAddress(BOUNCES, verp, addr('hanako@else.example'))))
    for (const forged of [
      detail.replace('hanako', 'taro'),
      detail.replace(/^12/, '13'),
      detail.replace(/-hanako.*$/, ''),
      detail.replace(/[0-9a-f]{20}/, '0'.repeat(20)),
      '',
      '12',
      `12--hanako=else.example`,
    ])
      assert.equal(bouncedPost(forged, verp.key), undefined, forged)
    assert.equal(bouncedPost(detail, newListKey()), undefined)
    const report = detailOf(formatAddress(verpAddress(BOUNCES, verp)))
    assert.deepEqual(bouncedPost(report, verp.key), { post: 12 })
  })

  it('never breaks at any detail, and grows over no limit', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        assert.equal(bouncedPost(text, verp.key), undefined)
      }),
    )
    assert.deepEqual(verpAddress(BOUNCES, verp, addr(`${'x'.repeat(240)}@else.example`)), BOUNCES)
  })
})
