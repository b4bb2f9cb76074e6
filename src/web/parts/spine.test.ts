import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { grown, pagesOf, placeOf, ROWS_MAX, spineOf, wholeSpine } from './spine.ts'
import type { PageEnd, Spine } from './spine.ts'

/** A list of so many rows, looked at from its beginning to its end. */
function walked(rows: number, pageRows = 100): { readonly spine: Spine; readonly here: number } {
  let spine = spineOf('/queue')
  let here = 0
  while (spine.hasMore) {
    const pages = pagesOf(spine, spine.count - 40, spine.count + 40)
    here = Math.max(here, pages.length)
    const page = pages.at(-1)!
    const begin = page * pageRows
    const length = Math.min(pageRows, rows - begin)
    const next = begin + length < rows ? `gateway/${begin + length}` : undefined
    spine = grown(spine, [{ page, start: spine.starts[page], length, next }])
  }
  return { spine, here }
}

describe('the window over a long list', () => {
  test('holds of a list of any length two pages, and of the others where they begin', () => {
    const { spine, here } = walked(12_345)
    assert.deepEqual([spine.count, spine.lengths.length, spine.hasMore], [12_345, 124, false])
    assert.ok(here <= 2, `${here} pages at once`)
    assert.deepEqual(placeOf(spine, 0), [0, 0])
    assert.deepEqual(placeOf(spine, 12_344), [123, 44])
    assert.deepEqual(placeOf(spine, 250), [2, 50])
    assert.deepEqual(pagesOf(spine, 250, 280), [2])
    assert.deepEqual(pagesOf(spine, 290, 320), [2, 3])
    assert.equal(spine.starts[3], 'gateway/300')
  })

  test('ends where a browser could draw no more, and says that there is more', () => {
    const { spine } = walked(1_000_000)
    assert.deepEqual([spine.count, spine.hasMore], [ROWS_MAX, false])
    assert.ok(spine.starts.length > spine.lengths.length)
  })

  test('is known to its end at once, and stays so where its pages are as they were', () => {
    const starts = Array.from({ length: 123 }, (_, page) => `gateway/${(page + 1) * 100}`)
    const whole = wholeSpine('/queue', { count: 12_345, starts, pageRows: 100 })
    assert.deepEqual(whole, walked(12_345).spine)
    const last: PageEnd = { page: 123, start: 'gateway/12300', length: 45 }
    assert.equal(grown(whole, [last]), whole)
    assert.equal(grown(whole, [{ ...last, length: 46 }]).count, 12_346)
    for (const count of [0, 1, 100])
      assert.deepEqual(
        wholeSpine('/queue', { count, starts: [], pageRows: 100 }),
        grown(spineOf('/queue'), [{ page: 0, length: count }]),
      )
    const long = wholeSpine('/queue', { count: 1_000_000, starts, pageRows: 100 })
    assert.deepEqual([long.count, long.hasMore], [ROWS_MAX, false])
  })

  test('goes on over pages that are short or empty', () => {
    let spine = spineOf('/queue?domain=稀.example')
    for (const [page, length] of [0, 3, 0, 1].entries())
      spine = grown(spine, [{ page, start: spine.starts[page], length, next: `n${page}` }])
    assert.deepEqual([spine.count, spine.hasMore], [4, true])
    assert.deepEqual(placeOf(spine, 3), [3, 0])
    assert.deepEqual(placeOf(spine, 2), [1, 2])
    assert.deepEqual(pagesOf(spine, 0, 43), [1, 2, 3, 4])
  })

  test('forgets what lay behind a page that ends elsewhere now, and nothing else', () => {
    const { spine } = walked(500)
    const same: PageEnd = { page: 1, start: 'gateway/100', length: 100, next: 'gateway/200' }
    assert.equal(grown(spine, [same]), spine)
    const shorter = grown(spine, [{ ...same, length: 99 }])
    assert.deepEqual([shorter.count, shorter.starts.length], [499, 5])
    const moved = grown(spine, [{ ...same, next: 'gateway/201' }])
    assert.deepEqual(moved.starts, [undefined, 'gateway/100', 'gateway/201'])
    assert.deepEqual([moved.count, moved.hasMore], [200, true])
    // What was asked from a cursor that is none any more says nothing.
    assert.equal(grown(moved, [{ page: 2, start: 'gateway/200', length: 7 }]), moved)
    const ended = grown(spine, [{ page: 0, length: 12 }])
    assert.deepEqual([ended.count, ended.hasMore, ended.lengths], [12, false, [12]])
  })
})
