import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AccountId } from '#model/account.ts'
import type { ForeignList } from '#model/foreign-list.ts'
import { refKey } from '#model/list-member.ts'
import { rowKey } from '#store/directory/row-key.ts'
import { MemoryDirectory } from '#store/directory/memory-directory.ts'
import { addr, fakeAccount } from '#test/fake/directory.ts'
import { planLists } from './plan-lists.ts'

const hanako = fakeAccount('hanako@campus.example', ['花子@campus.example'])
const taro = fakeAccount('taro@campus.example')

const directory = (): MemoryDirectory =>
  new MemoryDirectory([
    { kind: 'domain', domain: { name: 'campus.example' } },
    { kind: 'domain', domain: { name: 'lab.campus.example', convertTo: 'campus.example' } },
    { kind: 'account', account: hanako },
    { kind: 'account', account: taro },
    {
      kind: 'alias',
      alias: { from: addr('h.yamada@campus.example'), to: [addr('hanako@campus.example')] },
    },
    {
      kind: 'alias',
      alias: {
        from: addr('staff@campus.example'),
        to: [addr('hanako@campus.example'), addr('taro@campus.example')],
      },
    },
    // Reads elsewhere, and is a person all the same.
    {
      kind: 'forward',
      forward: { accountId: taro.id, to: [addr('taro@elsewhere.example')], keep: false },
    },
  ])

const foreign = (address: string, more: Partial<ForeignList> = {}): ForeignList => ({
  address,
  owners: ['Hanako@campus.example'],
  moderators: [],
  members: [],
  left: [],
  ...more,
})

const members = (...addresses: string[]): ForeignList['members'] =>
  addresses.map((address) => ({ address, delivery: 'each' }))

function plan(lists: readonly ForeignList[], now = directory(), owner?: AccountId) {
  let ids = now.counts.lists
  return planLists(now, lists, {
    newId: () => `list-${++ids}` as AccountId,
    now: '2026-11-28T00:00:00.000Z',
    domain: 'campus.example',
    addedBy: 'admin',
    ...(owner !== undefined && { owner }),
  })
}

const membersIn = (planned: ReturnType<typeof plan>, list: string) =>
  planned.edits.flatMap((edit) =>
    edit.kind === 'put' && edit.row.kind === 'member' && edit.row.member.list === list
      ? [refKey(edit.row.member.who)]
      : [],
  )

describe('lists of another system', () => {
  it('have persons where they had addresses: main and further ones, aliases, sub-domains, forwards', () => {
    const planned = plan([
      foreign('ゼミ', {
        name: '経済学ゼミ',
        members: members(
          'hanako@campus.example',
          'H.Yamada@campus.example',
          '花子@lab.campus.example',
          'taro@campus.example',
          'staff@campus.example',
          'guest@elsewhere.example',
          'gone@campus.example',
          'no address',
        ),
        moderators: ['taro@campus.example', 'nobody@elsewhere.example'],
        posting: 'announce',
        subjectTag: '[ゼミ:%n]',
        nextNumber: 1234,
        left: ['msg_footer: is added to no post here'],
      }),
    ])
    assert.deepEqual(planned.rows, [
      {
        address: 'ゼミ@campus.example',
        outcome: 'added',
        members: { account: 2, list: 0, group: 1, address: 2 },
        stayed: [
          'guest@elsewhere.example',
          'gone@campus.example (of our domain, and nobody has it)',
        ],
        notes: [
          'msg_footer: is added to no post here',
          'nobody@elsewhere.example has no account here, and is no moderator',
          'no address is no address',
        ],
      },
    ])
    assert.deepEqual(membersIn(planned, 'list-1'), [
      `account:${hanako.id}`,
      `account:${taro.id}`,
      'group:staff@campus.example',
      'address:guest@elsewhere.example',
      'address:gone@campus.example',
    ])
    const [first] = planned.edits
    assert.ok(first?.kind === 'put' && first.row.kind === 'list')
    const { id: _, ...list } = first.row.list
    assert.deepEqual(list, {
      address: addr('ゼミ@campus.example'),
      addresses: [],
      name: '経済学ゼミ',
      owners: [hanako.id],
      moderators: [{ account: taro.id }],
      posting: 'announce',
      others: 'hold',
      subscription: 'closed',
      subjectTag: '[ゼミ:%n]',
      numberFrom: 1234,
      archive: 'members',
      roster: 'members',
      replyTo: 'author',
      attachments: 'keep',
      language: 'ja',
    })
  })

  it('may be in one another, in whatever order they come', () => {
    const planned = plan([
      foreign('all@campus.example', { members: members('seminar@campus.example') }),
      foreign('seminar@campus.example', { members: members('all@campus.example') }),
    ])
    assert.deepEqual(membersIn(planned, 'list-1'), ['list:list-2'])
    assert.deepEqual(membersIn(planned, 'list-2'), ['list:list-1'])
  })

  it('that are there keep their rules, and get the members that they lack', () => {
    const now = directory()
    const list = foreign('seminar', { members: members('hanako@campus.example') })
    const apply = (planned: ReturnType<typeof plan>): void => {
      now.apply(
        planned.edits.map((edit, index) => ({
          seq: now.seq + 1 + index,
          key: edit.kind === 'put' ? rowKey(edit.row) : edit.key,
          row: edit.kind === 'put' ? edit.row : null,
        })),
      )
    }
    apply(plan([list], now))
    assert.equal(plan([list], now).rows[0]!.outcome, 'same')
    const more = { ...list, posting: 'anyone' as const, members: members('taro@campus.example') }
    const planned = plan([more], now)
    assert.equal(planned.rows[0]!.outcome, 'changed')
    assert.deepEqual(planned.edits.length, 1)
    const twice = plan([foreign('a', { members: members('seminar@campus.example') })], now)
    assert.equal(twice.rows[0]!.members.list, 1)
  })

  it('that cannot be had are refused one by one, with the reason', () => {
    const planned = plan([
      foreign('hanako@campus.example'),
      foreign('x@elsewhere.example'),
      foreign('ok@campus.example', { owners: ['x@elsewhere.example'] }),
    ])
    assert.deepEqual(
      planned.rows.map(({ outcome, notes }) => [outcome, ...notes]),
      [
        ['refused', 'hanako@campus.example belongs to hanako@campus.example'],
        ['refused', 'elsewhere.example is no local domain'],
        [
          'added',
          'x@elsewhere.example has no account here, and is no owner',
          'it has no owner with an account here',
        ],
      ],
    )
    const owned = plan([foreign('ok@campus.example', { owners: [] })], directory(), taro.id)
    const [made] = owned.edits
    assert.ok(made?.kind === 'put' && made.row.kind === 'list')
    assert.deepEqual(made.row.list.owners, [taro.id])
  })
})
