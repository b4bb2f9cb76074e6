import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { addr, fakeAccount, fakeList, fakeMember } from '#test/fake/directory.ts'
import { formatAddress } from './address.ts'
import { isInAt, isInFrom, memberKey, refKey } from './list-member.ts'
import { addressesOfList, isOwner, mayModerate, purposeAddress } from './list.ts'

const hanako = fakeAccount('hanako@campus.example').id
const taro = fakeAccount('taro@campus.example').id
const list = {
  ...fakeList('ゼミ@campus.example'),
  owners: [hanako],
  moderators: [{ account: taro, until: '2027-03-31' }],
}

describe('a list', () => {
  it('has addresses for more than posts (RFC 2142 §6)', () => {
    assert.equal(
      formatAddress(purposeAddress(list.address, 'request')),
      'ゼミ-request@campus.example',
    )
    const more = { ...list, addresses: [addr('seminar@campus.example')] }
    const all = addressesOfList(more).map(({ address }) => formatAddress(address))
    assert.ok(all.includes('seminar-bounces@campus.example') && all.includes('ゼミ@campus.example'))
  })

  it('is moderated by its owners, and by a deputy to the end of his last day', () => {
    assert.equal(isOwner(list, taro), false)
    assert.equal(mayModerate(list, hanako, '2030-01-01'), true)
    assert.equal(mayModerate(list, taro, '2027-03-31'), true)
    assert.equal(mayModerate(list, taro, '2027-04-01'), false)
  })
})

describe('a member', () => {
  it('is in from the beginning of a term until right before its end', () => {
    const at = (text: string) => Date.parse(text)
    const terms = [
      { from: '2026-04-01T00:00:00.000Z', until: '2027-03-31T15:00:00.000Z' },
      { from: '2028-04-01T00:00:00.000Z' },
    ]
    assert.equal(isInAt(terms, at('2026-04-01T00:00:00Z')), true)
    assert.equal(isInAt(terms, at('2027-03-31T15:00:00Z')), false)
    assert.equal(isInAt(terms, at('2029-01-01T00:00:00Z')), true)
    assert.equal(isInFrom(terms, at('2027-09-01T00:00:00Z')), true, 'comes back')
    assert.equal(isInFrom(terms.slice(0, 1), at('2027-09-01T00:00:00Z')), false)
  })

  it('is named by whom it is, however that is written, and apart where it is kept out', () => {
    const named = (text: string) => refKey({ kind: 'address', address: addr(text) })
    assert.equal(named('Ｘ@Else.Example'), named('Ｘ@else.example'))
    const member = fakeMember('ゼミ@campus.example', { kind: 'account', id: taro })
    assert.equal(memberKey(member), `account:${taro}`)
    assert.notEqual(memberKey({ ...member, as: 'excluded' }), memberKey(member))
  })
})
