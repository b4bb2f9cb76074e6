import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LIFE_RULES, momentAt } from '#model/account-life.ts'
import type { Account, AccountId } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import type { ListMember, MemberRef } from '#model/list-member.ts'
import type { MailingList } from '#model/list.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { MemoryDirectory } from '#store/directory/memory-directory.ts'
import { rowKey } from '#store/directory/row-key.ts'
import { addr, fakeAccount, fakeList, fakeMember } from '#test/fake/directory.ts'
import { isMemberOf, listsOfAccount } from './membership.ts'
import { resolveMembers } from './resolve.ts'

const NOW = Date.parse('2026-11-28T03:00:00Z')
const D = 'campus.example'

const person = (name: string, more: Partial<Account> = {}): DirectoryRow & { kind: 'account' } => ({
  kind: 'account',
  account: { ...fakeAccount(`${name}@${D}`), ...more },
})
const list = (name: string, more: Partial<MailingList> = {}): DirectoryRow => ({
  kind: 'list',
  list: { ...fakeList(`${name}@${D}`), ...more },
})
const group = (name: string, ...to: string[]): DirectoryRow => ({
  kind: 'alias',
  alias: { from: addr(`${name}@${D}`), to: to.map(addr), name },
})
const idOf = (name: string): AccountId => `id-${name}@${D}` as AccountId
const account = (name: string): MemberRef => ({ kind: 'account', id: idOf(name) })
const nested = (name: string): MemberRef => ({ kind: 'list', id: idOf(name) })
const address = (text: string): MemberRef => ({ kind: 'address', address: addr(text) })
const ofGroup = (name: string): MemberRef => ({ kind: 'group', address: addr(`${name}@${D}`) })
const member = (of: string, who: MemberRef, more: Partial<ListMember> = {}): DirectoryRow => ({
  kind: 'member',
  member: { ...fakeMember(`${of}@${D}`, who), ...more },
})
const excluded = (of: string, who: MemberRef): DirectoryRow => member(of, who, { as: 'excluded' })

const BASE: readonly DirectoryRow[] = [
  { kind: 'domain', domain: { name: D } },
  { kind: 'domain', domain: { name: `lab.${D}`, convertTo: D } },
  ...['花子', 'taro', 'jiro'].map((name) => person(name)),
  list('ゼミ'),
  list('学科'),
]

const directoryOf = (rows: readonly DirectoryRow[]) =>
  new MemoryDirectory([...BASE, ...rows], undefined, { moment: momentAt(NOW, LIFE_RULES) })

/** Who gets a post of ゼミ, with how and why; and that each is a member by the other way of asking. */
async function resolved(rows: readonly DirectoryRow[], of = 'ゼミ', atMs = NOW) {
  const directory = directoryOf(rows)
  const { recipients, unresolved } = await resolveMembers(idOf(of), directory, atMs)
  for (const { accountId, address: to } of recipients) {
    const somebody = accountId === undefined ? to : directory.account(accountId)!
    assert.equal(isMemberOf(idOf(of), somebody, directory, atMs), true, formatAddress(to))
  }
  return {
    to: recipients
      .map(({ address: to, delivery }) =>
        delivery === 'each' ? formatAddress(to) : `${formatAddress(to)} ${delivery}`,
      )
      .toSorted(),
    through: recipients.map(({ through }) => through),
    lacks: unresolved.map(({ why, member: { who } }) => `${who.kind} ${why}`).toSorted(),
  }
}

const to = async (rows: readonly DirectoryRow[], of?: string): Promise<readonly string[]> =>
  (await resolved(rows, of)).to

describe('who gets a post of a list', () => {
  test('an account gets it at the address that it has now', async () => {
    const renamed = person('花子', { id: idOf('花子'), username: '花子.鈴木' })
    assert.deepEqual(await to([member('ゼミ', account('花子')), renamed]), [`花子.鈴木@${D}`])
  })

  test('each person gets it once, by whatever they are in, also by aliases and a converted domain', async () => {
    const rows = [
      member('ゼミ', account('taro')),
      member('ゼミ', address(`Taro+list@lab.${D}`)),
      group('教員', `taro@${D}`, `jiro@${D}`, 'x@else.example'),
      member('ゼミ', ofGroup('教員')),
      member('ゼミ', address('X@else.example')),
      member('ゼミ', address(`教員@lab.${D}`)),
    ]
    assert.deepEqual(await to(rows), [`jiro@${D}`, `taro@${D}`, 'x@else.example'])
    const { through } = await resolved(rows)
    assert.ok(
      through.some((each) => each.length === 4),
      JSON.stringify(through),
    )
  })

  test('forwards are followed at delivery, not here', async () => {
    const rows: DirectoryRow[] = [
      member('ゼミ', account('taro')),
      member('ゼミ', address(`jiro@${D}`)),
      ...['taro', 'jiro'].map((name): DirectoryRow => ({
        kind: 'forward',
        forward: { accountId: idOf(name), to: [addr('away@else.example')], keep: false },
      })),
    ]
    assert.deepEqual(await to(rows), [`jiro@${D}`, `taro@${D}`])
  })

  test('an exclusion wins over everything; one of a list within is of that list alone', async () => {
    const rows = [
      group('教員', `taro@${D}`, `jiro@${D}`),
      member('ゼミ', ofGroup('教員')),
      member('ゼミ', account('花子')),
      excluded('ゼミ', address(`Taro@lab.${D}`)),
    ]
    assert.deepEqual(await to(rows), [`jiro@${D}`, `花子@${D}`])
    assert.equal(isMemberOf(idOf('ゼミ'), person('taro').account, directoryOf(rows), NOW), false)
    const within = [
      member('学科', account('taro')),
      member('学科', account('jiro')),
      excluded('学科', account('taro')),
      member('ゼミ', nested('学科')),
      member('ゼミ', account('taro')),
    ]
    assert.deepEqual(await to(within), [`jiro@${D}`, `taro@${D}`])
    assert.deepEqual(await to([...within, excluded('ゼミ', nested('学科'))]), [`taro@${D}`])
  })

  test('lists in lists, in circles and by an alias, end and give each person once', async () => {
    const rows = [
      list('全員'),
      group('窓口', `全員@${D}`),
      member('ゼミ', nested('学科')),
      member('ゼミ', account('花子')),
      member('学科', nested('全員')),
      member('学科', account('taro')),
      member('全員', nested('ゼミ')),
      member('全員', ofGroup('窓口')),
      member('全員', account('jiro')),
    ]
    const all = [`jiro@${D}`, `taro@${D}`, `花子@${D}`]
    for (const name of ['ゼミ', '学科', '全員']) assert.deepEqual(await to(rows, name), all, name)
    assert.ok((await resolved(rows)).lacks.includes('list loop'))
    const lists = listsOfAccount(person('花子').account, directoryOf(rows), NOW)
    assert.deepEqual(
      lists.map((each) => each.list.address.localpart).toSorted(),
      ['ゼミ', '全員', '学科'].toSorted(),
    )
  })

  test('somebody is in from one moment to another', async () => {
    const rows = [
      member('ゼミ', account('taro'), {
        terms: [{ from: '2026-04-01T00:00:00Z', until: '2026-11-28T03:00:00Z' }],
      }),
      member('ゼミ', account('jiro'), { terms: [{ from: '2026-11-28T03:00:00Z' }] }),
    ]
    assert.deepEqual((await resolved(rows, 'ゼミ', NOW - 1)).to, [`taro@${D}`])
    assert.deepEqual((await resolved(rows, 'ゼミ', NOW)).to, [`jiro@${D}`])
  })

  test('who cannot get it is told, each with the reason, and nobody else is left out', async () => {
    const rows = [
      person('休職', { disabled: true }),
      person('卒業', { expiresOn: '2026-03-31' }),
      person('猶予', { expiresOn: '2026-11-20' }),
      person('削除', { deletedAt: '2026-11-01T00:00:00Z' }),
      list('空'),
      group('無人'),
      group('全部', `休職@${D}`, `taro@${D}`),
      ...['休職', '卒業', '猶予', '削除', '不明'].map((name) => member('ゼミ', account(name))),
      member('ゼミ', nested('空')),
      member('ゼミ', nested('無い')),
      member('ゼミ', ofGroup('無人')),
      member('ゼミ', ofGroup('無い')),
      member('ゼミ', ofGroup('全部')),
      member('ゼミ', address(`誰@${D}`)),
      member('ゼミ', { kind: 'filter', source: 'ldap', filter: '(ou=情報)' }),
    ]
    const { to: got, lacks } = await resolved(rows)
    assert.deepEqual(got, [`taro@${D}`, `猶予@${D}`])
    assert.deepEqual(lacks, [
      'account deleted',
      'account gone',
      'account left',
      'account suspended',
      'address unknown',
      'filter notAsked',
      'group empty',
      'group gone',
      'list empty',
      'list gone',
    ])
  })

  test('a filter stands for those whom it named when its source was asked last', async () => {
    const filter: MemberRef = { kind: 'filter', source: 'ldap', filter: '(ou=情報)' }
    const asked = { asOf: '2026-11-27T00:00:00Z', accounts: [idOf('taro'), idOf('不明')] }
    const rows = [member('ゼミ', filter, { resolved: asked })]
    assert.deepEqual(await resolved(rows), {
      to: [`taro@${D}`],
      through: [['filter:ldap:?(ou=情報)']],
      lacks: ['filter gone'],
    })
  })

  test('a row of somebody alone says how they get it; else what brings most, as little as each allows', async () => {
    const rows = [
      group('教員', `taro@${D}`),
      member('ゼミ', ofGroup('教員')),
      member('ゼミ', account('taro'), { delivery: 'none' }),
      member('学科', account('jiro'), { delivery: 'digest' }),
      member('学科', account('花子')),
      member('ゼミ', nested('学科')),
    ]
    assert.deepEqual(await to(rows), [`jiro@${D} digest`, `taro@${D} none`, `花子@${D}`])
  })
})

describe('large lists', () => {
  const members = (of: string, from: number, count: number): DirectoryRow[] =>
    Array.from({ length: count }, (_, i) => member(of, account(`u${from + i}`)))

  test('ten of 3,000 within one give each of 27,300 once, and 500 lists in a circle end', async () => {
    const people = Array.from({ length: 30_000 }, (_, i) => person(`u${i}`))
    const parts = Array.from({ length: 10 }, (_, i) => [
      list(`part${i}`),
      member('ゼミ', nested(`part${i}`)),
      ...members(`part${i}`, i * 2_700, 3_000),
    ])
    const chain = Array.from({ length: 500 }, (_, i) => [
      list(`c${i}`),
      member(`c${i}`, nested(`c${(i + 1) % 500}`)),
    ])
    const directory = directoryOf([...people, ...parts.flat(), ...chain.flat()])
    let others = 0
    const beside = setInterval(() => others++, 0)
    const { recipients, unresolved } = await resolveMembers(idOf('ゼミ'), directory, NOW)
    clearInterval(beside)
    assert.ok(others > 0, 'nobody else had a turn')
    assert.equal(recipients.length, 27_300)
    assert.deepEqual(unresolved, [])
    const end = await resolveMembers(idOf('c0'), directory, NOW)
    assert.ok(end.unresolved.some(({ why }) => why === 'tooMany'))
  })

  test('who comes and goes is found and lost by their list, and by their account', () => {
    const directory = directoryOf([list('大'), ...members('大', 0, 3_000)])
    const rows = directory.members(idOf('大')).toArray()
    assert.equal(rows.length, 3_000)
    let seq = directory.seq
    for (const [i, row] of rows.entries())
      if (i % 3 !== 0)
        directory.apply([{ seq: ++seq, key: rowKey({ kind: 'member', member: row }), row: null }])
    assert.equal(directory.members(idOf('大')).toArray().length, 1_000)
    assert.equal(directory.counts.members, 1_000)
    const counted = rows.map(({ who }) =>
      who.kind === 'account' ? directory.listsOf(who.id).toArray().length : 0,
    )
    assert.deepEqual(new Set(counted.filter((_, i) => i % 3 === 0)), new Set([1]))
    assert.deepEqual(new Set(counted.filter((_, i) => i % 3 !== 0)), new Set([0]))
  })
})
