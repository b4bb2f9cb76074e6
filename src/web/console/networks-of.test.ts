import assert from 'node:assert/strict'
import { test } from 'node:test'

import { networksOf } from './networks-of.ts'

test('files of networks are read as people write them', () => {
  assert.deepEqual(
    networksOf(
      '\uFEFFネットワーク,場所\r\n192.0.2.0/24\r\n"198.51.100.7"\n\n2001:db8::/32 # 東京\n',
    ),
    ['192.0.2.0/24', '198.51.100.7', '2001:db8::/32'],
  )
  assert.deepEqual(networksOf('10.0.0.1, 10.0.0.2;10.0.0.3'), ['10.0.0.1', '10.0.0.2', '10.0.0.3'])
  // What is no network is sent all the same: control refuses it, and says which it is.
  assert.deepEqual(networksOf('10.0.0.1\n渡り\n'), ['10.0.0.1', '渡り'])
  assert.deepEqual(networksOf('# nothing\n'), [])
})
