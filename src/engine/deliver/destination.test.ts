import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { addr, fakeAccount, fakeDirectory, fakeList } from '#test/fake/directory.ts'
import { destinationOf } from './destination.ts'

const list = fakeList('ゼミ@campus.example')
const taro = fakeAccount('taro@campus.example')
const directory = fakeDirectory([
  { kind: 'domain', domain: { name: 'campus.example' } },
  { kind: 'account', account: taro },
  { kind: 'list', list },
  {
    kind: 'alias',
    alias: {
      from: addr('all@campus.example'),
      to: ['ゼミ@campus.example', 'taro@campus.example', 'x@else.example'].map(addr),
    },
  },
] satisfies DirectoryRow[])

test('a list is a destination of its own, beside accounts and addresses elsewhere', () => {
  for (const isExpanded of [true, false]) {
    const alone = destinationOf(addr('ゼミ-request@campus.example'), directory, { isExpanded })
    assert.deepEqual(alone.ok && alone.value, {
      recipient: addr('ゼミ-request@campus.example'),
      accounts: [],
      elsewhere: [],
      lists: [{ id: list.id, purpose: 'request', address: addr('ゼミ-request@campus.example') }],
    })
  }
  const all = destinationOf(addr('all@campus.example'), directory, { isExpanded: false })
  assert.deepEqual(all.ok && all.value, {
    recipient: addr('all@campus.example'),
    accounts: [taro.id],
    elsewhere: [addr('x@else.example')],
    lists: [{ id: list.id, purpose: 'post', address: addr('ゼミ@campus.example') }],
  })
})
