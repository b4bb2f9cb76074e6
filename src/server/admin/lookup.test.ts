import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { pageOf } from './lookup.ts'

const self = (text: string): string => text

describe('a page of a list', () => {
  test('pages of any size give the whole list once, in the order of its keys', () => {
    const names = fc.uniqueArray(fc.string({ unit: 'grapheme', maxLength: 6 }), { maxLength: 60 })
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 20 }), (all, limit) => {
        const found: string[] = []
        let after: string | undefined
        do {
          const { items, next } = pageOf(all, self, { limit, after })
          found.push(...items)
          after = next
        } while (after !== undefined)
        assert.deepEqual(found, all.toSorted())
      }),
    )
  })

  test('also of more items than it keeps at once', () => {
    const all = Array.from({ length: 20_000 }, (_, i) => `利用者${(i * 7_919) % 20_000}`)
    const sorted = all.toSorted()
    const first = pageOf(all, self, { limit: 300 })
    assert.deepEqual(first.items, sorted.slice(0, 300))
    assert.equal(first.next, sorted[299])
    const second = pageOf(all, self, { limit: 300, after: sorted[19_800] })
    assert.deepEqual(second, { items: sorted.slice(19_801) })
  })
})
