import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { pageOf } from './lookup.ts'

const self = {
  keyOf: (text: string): string => text,
  bodyOf: (text: string): string => `「${text}」`,
}
const bodies = (texts: readonly string[]): string[] => texts.map(self.bodyOf)

describe('a page of a list', () => {
  test('pages of any size give the whole list once, in the order of its keys', async () => {
    const names = fc.uniqueArray(fc.string({ unit: 'grapheme', maxLength: 6 }), { maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(names, fc.integer({ min: 1, max: 20 }), async (all, limit) => {
        const found: string[] = []
        let after: string | undefined
        do {
          const { items, next } = await pageOf(all, self, { limit, after })
          found.push(...items)
          after = next
        } while (after !== undefined)
        assert.deepEqual(found, bodies(all.toSorted()))
      }),
    )
  })

  test('also of more items than it keeps at once', async () => {
    const all = Array.from({ length: 20_000 }, (_, i) => `利用者${(i * 7_919) % 20_000}`)
    const sorted = all.toSorted()
    const first = await pageOf(all, self, { limit: 300 })
    assert.deepEqual(first.items, bodies(sorted.slice(0, 300)))
    assert.equal(first.next, sorted[299])
    const second = await pageOf(all, self, { limit: 300, after: sorted[19_800] })
    assert.deepEqual(second, { items: bodies(sorted.slice(19_801)) })
  })

  test('of what holds a text; others have their turn while a long list is looked through', async () => {
    const all = Array.from({ length: 30_000 }, (_, i) => `利用者${i}`)
    let turns = 0
    let isGoing = true
    const count = (): void => {
      turns++
      if (isGoing) setImmediate(count)
    }
    setImmediate(count)
    const holds = (text: string): boolean => text.endsWith('99')
    let looked = 0
    /** Now and then a slice's worth of work. */
    const slow = (text: string): boolean => {
      const endsAt = performance.now() + (++looked % 2_000 === 0 ? 5 : 0)
      while (performance.now() < endsAt);
      return holds(text)
    }
    const { items, next } = await pageOf(all, { ...self, holds: slow }, { limit: 10_000 })
    isGoing = false
    assert.deepEqual(items, bodies(all.filter(holds).toSorted()))
    assert.equal(next, undefined)
    assert.ok(turns >= 10, `${turns} turns`)
  })
})
