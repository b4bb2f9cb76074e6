import assert from 'node:assert/strict'
import { test } from 'node:test'

import { fieldsChanged } from './fields-changed.ts'

const rowOf = (account: object): unknown => ({
  kind: 'account',
  account: { id: 'a-1', ...account },
})

test('of a change of an account each field is told as people write it, a secret only by its name', () => {
  const before = rowOf({
    name: '渡辺 花子',
    tags: ['2027入学'],
    addresses: [{ localpart: 'h.watanabe', domain: 'campus.example' }],
    disabled: false,
    credential: '$argon2id$…',
    credentialVersion: 1,
  })
  const after = rowOf({
    name: '髙橋 花子',
    formerNames: ['渡辺 花子'],
    tags: ['2027入学'],
    addresses: [],
    disabled: true,
    credential: '$argon2id$other',
    credentialVersion: 2,
  })
  assert.deepEqual(fieldsChanged(before, after), [
    { name: 'name', before: '渡辺 花子', after: '髙橋 花子' },
    { name: 'addresses', before: 'h.watanabe@campus.example', after: '' },
    { name: 'disabled', before: 'false', after: 'true' },
    { name: 'credential', before: '', after: '' },
    { name: 'formerNames', before: '', after: '渡辺 花子' },
  ])
  assert.deepEqual(fieldsChanged(before, before), [])
  const [long] = fieldsChanged(rowOf({}), rowOf({ name: 'あ'.repeat(300) }))
  assert.equal(long?.after, `${'あ'.repeat(200)}…`)
})
