import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LIFE_RULES, momentAt } from '#model/account-life.ts'
import type { AccountId } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import type { Sender } from '#model/choices.ts'
import type { MailingList } from '#model/list.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { MemoryDirectory } from '#store/directory/memory-directory.ts'
import { addr, fakeAccount, fakeList, fakeMember } from '#test/fake/directory.ts'
import { scriptLists } from './script-lists.ts'

const D = 'campus.example'
const NOW = Date.parse('2026-11-28T03:00:00Z')
const idOf = (name: string): AccountId => `id-${name}@${D}` as AccountId
const TAG = `tag:${D},2026`
const sender = (text: string): Sender => text as Sender
const listRow = (name: string, more: Partial<MailingList> = {}): DirectoryRow => ({
  kind: 'list',
  list: { ...fakeList(`${name}@${D}`), ...more },
})
const memberRow = (list: string, name: string): DirectoryRow => ({
  kind: 'member',
  member: fakeMember(`${list}@${D}`, { kind: 'account', id: idOf(name) }),
})

const ROWS: readonly DirectoryRow[] = [
  { kind: 'domain', domain: { name: D } },
  ...['花子', 'taro', 'jiro'].map(
    (name) =>
      ({ kind: 'account', account: fakeAccount(`${name}@${D}`, [`${name}2@${D}`]) }) as const,
  ),
  {
    kind: 'alias',
    alias: { from: addr(`教務@${D}`), to: [addr(`taro@${D}`), addr('x@else.example')] },
  },
  listRow('ゼミ', { roster: 'members' }),
  memberRow('ゼミ', '花子'),
  memberRow('ゼミ', 'taro'),
  listRow('人事', { roster: 'owners', owners: [idOf('jiro')] }),
  memberRow('人事', '花子'),
  listRow('他学科', { roster: 'members' }),
  memberRow('他学科', 'taro'),
  {
    kind: 'choices',
    choices: {
      accountId: idOf('花子'),
      revision: 1,
      welcome: [sender('friend@else.example')],
      blocked: [sender('ads.example')],
      lists: [{ name: '友人', senders: [sender('友@b.example'), sender('club.example')] }],
    },
  },
]
const directory = new MemoryDirectory(ROWS, undefined, { moment: momentAt(NOW, LIFE_RULES) })
const lists = (of = '花子') => scriptLists(idOf(of), directory, NOW)

describe('lists that scripts ask in delivery (RFC 6134)', () => {
  it('are groups, by any address of who is in them', () => {
    const group = `${TAG}:group/教務`
    assert.equal(lists().has(group), true)
    assert.equal(lists().holds(group, `TARO2@${D}`), true)
    assert.equal(lists().holds(group, 'x@else.example'), true)
    assert.equal(lists().holds(group, `花子@${D}`), false)
    assert.equal(lists().has(`${TAG}:group/${encodeURIComponent('教務')}`), true)
    assert.deepEqual(lists().addresses(group)?.map(formatAddress), [`教務@${D}`])
  })

  it('are mailing lists, for those alone who may see who is in them', () => {
    const seminar = `tag:${D},2026-11-28:list/ゼミ@${D}`
    assert.equal(lists().holds(seminar, `taro@${D}`), true)
    assert.equal(lists().holds(seminar, `jiro@${D}`), false)
    assert.equal(lists('jiro').has(seminar), false, 'he is not in it')
    assert.equal(lists().has(`${TAG}:list/人事`), false, 'its owners alone see that')
    assert.equal(lists('jiro').holds(`${TAG}:list/人事`, `花子@${D}`), true)
    assert.equal(lists().holds(`${TAG}:list/他学科`, `taro@${D}`), false)
    assert.deepEqual(lists().addresses(seminar)?.map(formatAddress), [`ゼミ@${D}`])
  })

  it("are the person's own, and nobody else's", () => {
    const own = `${TAG}:own/友人`
    assert.equal(lists().holds(own, '友@B.Example'), true)
    assert.equal(lists().holds(own, 'who@tennis.club.example'), true)
    assert.equal(lists().holds(own, 'who@noclub.example'), false)
    assert.equal(lists('taro').has(own), false)
    assert.deepEqual(lists().addresses(own)?.map(formatAddress), ['友@b.example'])
    assert.equal(lists().holds(`${TAG}:own/welcome`, 'friend@else.example'), true)
    assert.equal(lists().holds(`${TAG}:own/blocked`, 'x@news.ads.example'), true)
  })

  it('are the address book: everybody of ours, and whom one has welcomed', () => {
    for (const book of [':addrbook:default', 'urn:ietf:params:sieve:addrbook:default']) {
      assert.equal(lists().holds(book, `jiro@${D}`), true)
      assert.equal(lists().holds(book, `ゼミ@${D}`), true)
      assert.equal(lists().holds(book, 'friend@else.example'), true)
      assert.equal(lists('taro').holds(book, 'friend@else.example'), false)
      assert.equal(lists().addresses(book), undefined, 'nobody sends to all')
    }
  })

  it('are none of others, however they are written', () => {
    for (const name of [
      `tag:else.example,2026:group/教務`,
      `${TAG}:group/none`,
      `${TAG}:group/`,
      `${TAG}:own/%E5%8F`,
      `tag:${D}:group/教務`,
      'ldap://localhost/cn=x',
      ':addrbook:secret',
      '',
    ])
      assert.equal(lists().has(name), false, name)
    assert.equal(lists().holds(`${TAG}:group/教務`, 'no address'), false)
  })
})
