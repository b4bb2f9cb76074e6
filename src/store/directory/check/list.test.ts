import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AccountId } from '#model/account.ts'
import { LIST_RULES } from '#model/list.ts'
import type { MailingList } from '#model/list.ts'
import type { ListMember } from '#model/list-member.ts'
import { addr, fakeAccount, fakeDirectory, fakeList, fakeMember } from '#test/fake/directory.ts'
import { checkRemoval, checkRow } from '#store/directory/check-edits.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { rowKey } from '#store/directory/row-key.ts'

const SEMINAR = 'ゼミ@campus.example'
const hanako = fakeAccount('hanako@campus.example')
const taro = fakeAccount('taro@campus.example')

const list = (text: string, more: Partial<MailingList> = {}): DirectoryRow => ({
  kind: 'list',
  list: { ...fakeList(text), ...more },
})
const member = (
  who: ListMember['who'],
  more: Partial<ListMember> = {},
  text = SEMINAR,
): DirectoryRow => ({ kind: 'member', member: { ...fakeMember(text, who), ...more } })
const account = (text: string, further: readonly string[] = []): DirectoryRow => ({
  kind: 'account',
  account: fakeAccount(text, further),
})
const alias = (from: string): DirectoryRow => ({
  kind: 'alias',
  alias: { from: addr(from), to: [addr('taro@campus.example')] },
})

const directory = (...more: readonly DirectoryRow[]) =>
  fakeDirectory([
    { kind: 'domain', domain: { name: 'campus.example' } },
    { kind: 'domain', domain: { name: 'lab.campus.example', convertTo: 'campus.example' } },
    { kind: 'account', account: hanako },
    { kind: 'account', account: taro },
    list(SEMINAR, { owners: [hanako.id] }),
    ...more,
  ])

const refused = (row: DirectoryRow, ...more: readonly DirectoryRow[]): string | undefined =>
  checkRow(directory(...more), row)?.message

describe('an address is of an account, an alias, or a list, and of one alone', () => {
  test('no account and no alias takes an address of a list, of its purposes, or one with a detail', () => {
    for (const text of [SEMINAR, 'ゼミ-owner@campus.example', 'ゼミ-bounces@campus.example']) {
      assert.match(refused(account(text)) ?? '', /of the list ゼミ@campus\.example/, text)
      assert.match(refused(account('x@campus.example', [text])) ?? '', /of the list/, text)
      assert.match(refused(alias(text)) ?? '', /of the list/, text)
    }
    assert.match(
      refused(alias('ゼミ-bounces+4f2a@campus.example')) ?? '',
      /for bounces of the list/,
    )
    assert.equal(refused(alias('ゼミ-member@campus.example')), undefined)
  })

  test('a list takes none that somebody has, nor one whose owner or request address somebody has', () => {
    const rival = list('taro@campus.example')
    assert.match(refused(rival) ?? '', /taro@campus\.example belongs to/)
    assert.match(
      refused(list('club@campus.example'), alias('club-owner@campus.example')) ?? '',
      /is an alias/,
    )
    assert.match(
      refused(list('club@campus.example'), account('club-request@campus.example')) ?? '',
      /club-request@campus\.example belongs to/,
    )
    assert.match(refused(list('ゼミ-owner@campus.example')) ?? '', /of the list ゼミ@/)
    assert.equal(refused(list(SEMINAR, { name: '情報工学ゼミ' })), undefined, 'it keeps its own')
  })

  test('one that was deleted keeps its address until it is deleted for good', () => {
    const gone = list('club@campus.example', { deletedAt: '2026-11-01T00:00:00Z' })
    const other = list('x@campus.example', { addresses: [addr('club@campus.example')] })
    assert.match(checkRow(directory(gone), other)?.remedy ?? '', /watari list undelete club@/)
  })

  test('is in a domain of ours, in lower case, without a plus, and leaves room for marks', () => {
    assert.match(refused(list('club@else.example')) ?? '', /no local domain/)
    assert.match(refused(list('club@lab.campus.example')) ?? '', /are those of campus/)
    assert.match(refused(list('Club@campus.example')) ?? '', /no address for a list/)
    assert.match(refused(list('club+1@campus.example')) ?? '', /no address for a list/)
    assert.match(refused(list(`${'長'.repeat(14)}@campus.example`)) ?? '', /more than 40 octets/)
  })
})

describe('a list', () => {
  test('holds no line in a line, and no word that means nothing', () => {
    for (const name of ['a\r\nBcc: all@campus.example', '', '\u202eゼミ', 'x'.repeat(257)])
      assert.match(refused(list(SEMINAR, { name })) ?? '', /one line/)
    assert.match(refused(list(SEMINAR, { subjectTag: 'x\ny' })) ?? '', /one line/)
    const posting = 'everybody' as 'anyone'
    assert.match(refused(list(SEMINAR, { posting })) ?? '', /everybody is no value for posting/)
    assert.match(refused(list(SEMINAR, { warnAbove: 1.5 })) ?? '', /no value for warnAbove/)
    assert.equal(refused(list(SEMINAR, { ...LIST_RULES, subjectTag: '[ゼミ:%n]' })), undefined)
  })

  test('names owners who are there; who has gone since may stay named, and nobody is named twice', () => {
    const ghost = 'a-gone' as AccountId
    assert.match(refused(list(SEMINAR, { owners: [hanako.id, ghost] })) ?? '', /no account a-gone/)
    const before = list(SEMINAR, { owners: [hanako.id, ghost] })
    assert.equal(refused(list(SEMINAR, { owners: [ghost] }), before), undefined)
    const moderators = [{ account: hanako.id }]
    assert.match(refused(list(SEMINAR, { owners: [hanako.id], moderators })) ?? '', /twice/)
    const until = '2027-02-30'
    assert.match(
      refused(list(SEMINAR, { moderators: [{ account: taro.id, until }] })) ?? '',
      /is no day/,
    )
  })

  test('goes when its members have gone, and keeps its domain from going', () => {
    const id = fakeList(SEMINAR).id
    const row = member({ kind: 'account', id: taro.id })
    assert.match(checkRemoval(directory(row), `list:${id}`)?.message ?? '', /has members/)
    assert.equal(checkRemoval(directory(), `list:${id}`), undefined)
    const alone = fakeDirectory([
      { kind: 'domain', domain: { name: 'campus.example' } },
      list(SEMINAR),
    ])
    assert.match(checkRemoval(alone, 'domain:campus.example')?.message ?? '', /is a list with/)
    assert.equal(checkRemoval(directory(row), rowKey(row)), undefined)
    assert.equal(checkRemoval(directory(), rowKey(row))?.code, 'notFound')
  })
})

describe('a member', () => {
  test('names what is there when it is added; afterwards it may go', () => {
    const id = 'a-gone' as AccountId
    assert.match(refused(member({ kind: 'account', id })) ?? '', /no account a-gone/)
    const row = member({ kind: 'account', id }, { delivery: 'digest' })
    assert.equal(refused(row, member({ kind: 'account', id })), undefined)
    assert.match(refused(member({ kind: 'list', id: fakeList(SEMINAR).id })) ?? '', /in itself/)
    assert.match(
      refused(member({ kind: 'group', address: addr('x@campus.example') })) ?? '',
      /group/,
    )
    const filter = { kind: 'filter', source: 'ldap', filter: '(tag=1年)' } as const
    assert.match(refused(member(filter)) ?? '', /no source ldap/)
    assert.match(refused(member({ kind: 'account', id }, {}, 'x@campus.example')) ?? '', /no list/)
  })

  test('has terms that follow one another', () => {
    const who = { kind: 'account', id: taro.id } as const
    const term = (from: string, until?: string) => ({ from, ...(until !== undefined && { until }) })
    const good = [
      term('2026-04-01T00:00:00Z', '2027-03-31T15:00:00Z'),
      term('2027-09-01T00:00:00Z'),
    ]
    assert.equal(refused(member(who, { terms: good })), undefined)
    for (const terms of [
      [],
      good.toReversed(),
      [term('2027-04-01T00:00:00Z', '2026-04-01T00:00:00Z')],
      [term('2026-04-01T00:00:00Z'), term('2027-09-01T00:00:00Z')],
      [term('きのう')],
    ])
      assert.match(refused(member(who, { terms })) ?? '', /one after another/)
  })
})
