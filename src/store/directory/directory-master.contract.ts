import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { err, ok } from '#base/outcome.ts'
import type { Account, AccountId } from '#model/account.ts'
import type { Sender } from '#model/choices.ts'
import type { ListMember } from '#model/list-member.ts'
import { LIST_RULES } from '#model/list.ts'
import type { DirectoryEdit } from './check-edits.ts'
import type { DirectoryLog } from './directory-log.ts'
import type { DirectoryMaster } from './directory-master.ts'
import type { DirectoryRow } from './directory.ts'
import { readRows } from './rows-text.ts'
import { rowKey } from './row-key.ts'

/** A directory that is written to, wherever its rows have their home. */
export interface OpenDirectory {
  readonly master: DirectoryMaster
  readonly log: Pick<DirectoryLog, 'history' | 'rows'>
  /** The rows as their home has them, by their keys. */
  home(): Promise<ReadonlyMap<string, DirectoryRow>>
  /** Whether two rows are one, wherever they lie. */
  isSame(a: DirectoryRow, b: DirectoryRow): boolean
  close(): Promise<void>
}

const BY = { who: '管理者', from: 'test' }
const MEMBERS = 10_000
const at = (localpart: string, domain = 'campus.example') => ({ localpart, domain })

export const accountOf = (username: string, more: Partial<Account> = {}): DirectoryRow => ({
  kind: 'account',
  account: {
    id: `id-${username}` as AccountId,
    username,
    domain: 'campus.example',
    admin: false,
    disabled: false,
    credentialVersion: 1,
    addresses: [],
    delegated: [],
    ...more,
  },
})

const SEMINAR = 'id-seminar' as AccountId
const memberOf = (who: ListMember['who'], more: Partial<ListMember> = {}): DirectoryRow => ({
  kind: 'member',
  member: {
    list: SEMINAR,
    who,
    as: 'member',
    delivery: 'each',
    terms: [{ from: '2026-04-01T00:00:00.000Z', until: '2027-03-31T15:00:00.000Z' }],
    addedBy: '管理者',
    ...more,
  },
})

/** One row of each kind, as full as they come. */
const ROWS: readonly DirectoryRow[] = [
  { kind: 'domain', domain: { name: 'campus.example', saltKey: 'c2VjcmV0', quota: { bytes: 9 } } },
  { kind: 'domain', domain: { name: 'lab.campus.example', convertTo: 'campus.example' } },
  { kind: 'domain', domain: { name: '大学.example' } },
  accountOf('hanako', {
    name: '山田 花子',
    reading: 'やまだ はなこ',
    credential: '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA',
    scram: '65536:salt:stored:server',
    credentialVersion: 3,
    addresses: [at('h.yamada'), at('花子', '大学.example'), at('a..b')],
    delegated: [at('office')],
    quota: { bytes: 1_000_000, messages: 0 },
    tags: ['教員', 'lab & co'],
  }),
  accountOf('次郎', { disabled: true, credential: '{SSHA}abcdefgh' }),
  { kind: 'alias', alias: { from: at('総務'), to: [at('hanako'), at('x', 'else.example')] } },
  {
    kind: 'forward',
    forward: { accountId: 'id-hanako' as AccountId, to: [at('h', 'else.example')], keep: true },
  },
  {
    kind: 'choices',
    choices: {
      accountId: 'id-hanako' as AccountId,
      revision: 1,
      vacation: { isOn: true, text: '不在です。\nAway.', days: 7, to: 'everybody' },
      proved: [{ address: at('h', 'else.example'), at: '2026-11-28T00:00:00Z' }],
      lists: [{ name: '友人', senders: ['friend@else.example' as Sender] }],
    },
  },
  {
    kind: 'route',
    route: { match: 'old.example', nextHop: { kind: 'smtp', host: '::1', port: 25 } },
  },
  {
    kind: 'source',
    source: {
      name: 'older',
      order: 10,
      servers: [{ host: 'ldap.campus.example', port: 636, tls: 'implicit' }],
      base: 'ou=人,dc=campus,dc=example',
      key: 'employeeNumber',
      bind: { dn: 'cn=reader', passwordBase64: 'JiYm' },
      auth: 'hash',
    },
  },
  {
    kind: 'list',
    list: {
      ...LIST_RULES,
      id: SEMINAR,
      address: at('ゼミ'),
      addresses: [at('seminar')],
      name: '経済学ゼミ',
      description: '一行目\n二行目',
      owners: ['id-hanako' as AccountId],
      moderators: [{ account: 'id-次郎' as AccountId, until: '2031-03-31' }],
      subjectTag: '[ゼミ:%n]',
      digest: 'week',
    },
  },
  memberOf({ kind: 'account', id: 'id-hanako' as AccountId }),
  memberOf({ kind: 'group', address: at('総務') }, { as: 'excluded' }),
  memberOf({ kind: 'address', address: at('x', 'else.example'), name: '客員' }),
  memberOf(
    { kind: 'filter', source: 'older', filter: '(&(ou=経済)(!(cn=\\2a,+"<>;=# )))' },
    {
      resolved: { asOf: '2026-11-28T00:00:00.000Z', accounts: ['id-hanako' as AccountId] },
      trouble: { why: 'away', since: '2026-11-28T01:00:00.000Z', text: '応答なし' },
    },
  ),
]

const put = (...rows: readonly DirectoryRow[]): DirectoryEdit[] =>
  rows.map((row) => ({ kind: 'put', row }))

/** What holds for the one directory, whether its rows have their home here or on servers of LDAP. */
export function directoryContract(
  name: string,
  open: () => Promise<OpenDirectory>,
  options: { readonly skip?: string | false } = {},
): void {
  describe(`a directory with its home ${name}`, options, () => {
    let opened: OpenDirectory
    before(async () => {
      opened = await open()
    })
    after(() => opened.close())
    const write = async (...edits: readonly DirectoryEdit[]): Promise<string> => {
      const done = await opened.master.write(edits, BY)
      return done.ok ? 'ok' : `${done.error.code}: ${done.error.message}`
    }
    /** In the log and in the home alike. */
    const assertHas = async (...rows: readonly DirectoryRow[]): Promise<void> => {
      const home = await opened.home()
      for (const row of rows)
        for (const found of [opened.master.directory.row(rowKey(row)), home.get(rowKey(row))])
          assert.ok(
            found !== undefined && opened.isSame(found, row),
            JSON.stringify({ row, found }),
          )
    }

    test('keeps rows of every kind as they were written, changed, and takes them away', async () => {
      assert.equal(await write(...put(...ROWS)), 'ok')
      await assertHas(...ROWS)
      const changed = accountOf('hanako', { name: '佐藤 花子', isOwn: true })
      assert.equal(await write(...put(changed)), 'ok')
      await assertHas(changed)
      assert.equal(await write({ kind: 'remove', key: 'route:old.example' }), 'ok')
      assert.equal((await opened.home()).has('route:old.example'), false)
      const log: DirectoryRow[] = []
      for (let next: number | undefined = 0; next !== undefined;) {
        const page = await opened.log.rows({ after: next, limit: 5 })
        log.push(...readRows(page).map(({ row }) => row))
        next = page.next
      }
      assert.equal(log.length, ROWS.length - 1)
      assert.equal((await opened.home()).size, log.length)
    })

    test('holds a group of 10,000, and one more', async () => {
      const members = Array.from({ length: MEMBERS }, (_, n) => at(`学生${n}`, 'else.example'))
      const group = (to: typeof members): DirectoryRow => ({
        kind: 'alias',
        alias: { from: at('全学'), to },
      })
      assert.equal(await write(...put(group(members.slice(1)))), 'ok')
      await assertHas(group(members.slice(1)))
      assert.match(await write(...put(group([...members, at('x', 'y.example')]))), /^limit/)
      assert.equal(await write(...put(group(members))), 'ok')
      await assertHas(group(members))
    })

    test('takes all of a write or none, and only what the rules allow', async () => {
      const before = await opened.home()
      assert.match(
        await write(...put(accountOf('one'), accountOf('two', { addresses: [at('hanako')] }))),
        /^conflict: hanako@campus\.example belongs to hanako/,
      )
      assert.equal(opened.master.directory.row('account:id-one'), undefined)
      assert.equal((await opened.home()).size, before.size)
      assert.equal(
        await write(
          ...put(
            accountOf('one', { addresses: [at('1')] }),
            accountOf('two', { addresses: [at('2')] }),
          ),
        ),
        'ok',
      )
      // An address changes hands in one write.
      const swapped = [accountOf('one'), accountOf('two', { addresses: [at('1'), at('2')] })]
      assert.equal(await write(...put(...swapped)), 'ok')
      await assertHas(...swapped)
    })

    test('lets nobody write over what was changed since it was seen', async () => {
      const seen = opened.master.directory.row('account:id-one')
      const change = (name: string) =>
        opened.master.update(
          (now) =>
            JSON.stringify(now.account('id-one' as AccountId)) ===
            JSON.stringify(seen?.kind === 'account' ? seen.account : undefined)
              ? ok(put(accountOf('one', { name })))
              : err({ code: 'conflict', message: 'stale', remedy: '' }),
          BY,
        )
      const both = await Promise.all([change('先'), change('後')])
      assert.deepEqual(
        both.map((done) => done.ok),
        [true, false],
      )
      await assertHas(accountOf('one', { name: '先' }))
    })

    test('loses nothing of two who write at once', async () => {
      const add = (n: number) =>
        opened.master.update((now) => {
          const alias = now.alias(at('総務'))!
          return ok(
            put({
              kind: 'alias',
              alias: { ...alias, to: [...alias.to, at(`職員${n}`, 'y.example')] },
            }),
          )
        }, BY)
      const all = await Promise.all(Array.from({ length: 10 }, (_, n) => add(n)))
      assert.ok(all.every((done) => done.ok))
      const row = opened.master.directory.row('alias:総務@campus.example')!
      assert.equal(row.kind === 'alias' && row.alias.to.length, 12)
      await assertHas(row)
    })

    test('knows who changed what, before and after, and shows no hash', async () => {
      assert.equal(
        await write(...put(accountOf('two', { credential: '{SSHA}x', name: '二' }))),
        'ok',
      )
      const { items } = await opened.log.history({ key: 'account:id-two', limit: 2 })
      const [last, first] = items
      assert.deepEqual(last?.by, BY)
      assert.deepEqual(last?.before, first?.after)
      assert.equal(last?.after?.kind === 'account' && last.after.account.name, '二')
      assert.ok(!JSON.stringify(items).includes('{SSHA}'))
    })
  })
}
