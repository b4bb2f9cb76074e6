import assert from 'node:assert/strict'
import { test } from 'node:test'

import { searchConditions } from './search-terms.ts'

test('what is typed becomes conditions, and words that are none stay words', () => {
  assert.deepEqual(searchConditions('from:鈴木 会議 is:unread "来週 の" has:attachment 資料:B'), [
    { from: '鈴木' },
    { notKeyword: '$seen' },
    { hasAttachment: true },
    { text: '会議 "来週 の" 資料:B' },
  ])
  assert.deepEqual(searchConditions('ｓｕｂｊｅｃｔ:"来週 の会議"'), [{ subject: '"来週 の会議"' }])
  const [after] = searchConditions('after:2026-11-01')
  assert.match(String(after?.['after']), /^2026-1[01]-\d\dT\d\d:00:00\.000Z$/)
  assert.deepEqual(searchConditions('after:昨日'), [{ text: 'after:昨日' }])
  assert.deepEqual(searchConditions('  '), [])
})
