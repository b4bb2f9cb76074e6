import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { leavePage } from './page.ts'

test('the page shows any name of a list as text, and makes no tag of it', () => {
  const tags = (page: string): number => page.split('<').length
  const plain = tags(leavePage({ kind: 'ask', list: 'x', member: 'y' }))
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (list, member) => {
      const page = leavePage({ kind: 'ask', list, member: `"><script>${member}` })
      assert.equal(tags(page), plain)
      assert.ok(!page.includes('<script'))
    }),
  )
})
