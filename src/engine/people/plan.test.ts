import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AccountId } from '#model/account.ts'
import type { MailGroup, Person } from '#model/person.ts'
import { MemoryDirectory } from '#store/directory/memory-directory.ts'
import { rowKey } from '#store/directory/row-key.ts'
import { addr, fakeAccount } from '#test/fake/directory.ts'
import { planImport } from './plan.ts'
import type { ImportRules } from './plan.ts'

const HASH = `{SSHA}${Buffer.alloc(24, 1).toString('base64')}`
const OTHER = `{SSHA}${Buffer.alloc(24, 2).toString('base64')}`

function directory(): MemoryDirectory {
  const hanako = fakeAccount('hanako@campus.example', ['h@campus.example'])
  return new MemoryDirectory([
    { kind: 'domain', domain: { name: 'campus.example' } },
    { kind: 'account', account: { ...hanako, credential: HASH, scram: 'keys' } },
    {
      kind: 'alias',
      alias: { from: addr('staff@campus.example'), to: [addr('hanako@campus.example')] },
    },
  ])
}

const person = (username: string, more: Partial<Person> = {}): Person => ({
  source: `of ${username}`,
  username,
  addresses: [],
  ...more,
})

const group = (address: string, ...to: string[]): MailGroup => ({
  source: `of ${address}`,
  address,
  to,
})

let ids = 0
const plan = (
  people: readonly Person[],
  groups: readonly MailGroup[] = [],
  {
    now = directory(),
    replacePasswords = false,
    mayTouch = () => true,
  }: Partial<Omit<ImportRules, 'newId'>> & { readonly now?: MemoryDirectory } = {},
) =>
  planImport(
    now,
    { people, groups },
    { newId: () => `new-${++ids}` as AccountId, replacePasswords, mayTouch },
  )

const told = (planned: ReturnType<typeof plan>) =>
  planned.rows.map(({ address, outcome, changes, notes }) =>
    [address, outcome, ...changes, ...notes].join(' | '),
  )

describe('a plan of an import', () => {
  it('takes nothing of accounts that whoever imports may not change', () => {
    const planned = plan(
      [person('hanako', { passwordHash: HASH }), person('taro', { name: '太郎' })],
      [],
      { replacePasswords: true, mayTouch: ({ username }) => username !== 'hanako' },
    )
    assert.deepEqual(told(planned), [
      'hanako@campus.example | refused | it has a role: only an administrator changes it',
      'taro@campus.example | added',
    ])
    assert.equal(planned.edits.length, 1)
  })

  it('takes what was wanted of the mail there; what was chosen here stays, and is told', () => {
    const vacation = { isOn: true, text: '留守です。', days: 7, to: 'everybody' } as const
    const blocked = ['Ads.example', 'friend@b.example', '無 効']
    const wishes = { vacation, blocked, welcome: ['friend@b.example'] }
    const planned = plan([person('taro', { wishes }), person('hanako', { wishes })])
    const notes = [
      "blocked: '無 効' is neither an address nor a domain",
      'blocked: friend@b.example is welcome as well, and stays so',
    ]
    assert.deepEqual(told(planned), [
      ['taro@campus.example | added', ...notes].join(' | '),
      ['hanako@campus.example | changed | vacation | blocked | welcome', ...notes].join(' | '),
    ])
    const rows = planned.edits.flatMap((edit) => (edit.kind === 'put' ? [edit.row] : []))
    const [choices] = rows.flatMap((row) => (row.kind === 'choices' ? [row.choices] : []))
    assert.deepEqual(choices, {
      accountId: choices?.accountId,
      revision: 1,
      vacation,
      blocked: ['ads.example'],
      welcome: ['friend@b.example'],
    })
    const now = directory()
    for (const row of rows) now.trial().put(rowKey(row), row)
    const again = { ...wishes, blocked: ['other.example'] }
    assert.deepEqual(told(plan([person('hanako', { wishes: again })], [], { now })), [
      'hanako@campus.example | same | blocked: something else was chosen here, and stays',
    ])
    const tooMany = Array.from({ length: 1_001 }, (_, at) => `d${at}.example`)
    const [row] = plan([person('hanako', { wishes: { blocked: tooMany } })]).rows
    assert.deepEqual([row?.outcome, row?.notes], ['same', ['blocked: more than 1000 senders']])
  })

  it('adds who is new, changes what the file speaks of, keeps the rest, and removes nobody', () => {
    const planned = plan([
      person('taro', { name: '太郎', passwordHash: HASH, quota: { bytes: 5 } }),
      person('hanako', { name: '花子', addresses: ['hy@campus.example'] }),
      person('hanako', { addresses: ['h@campus.example'] }),
    ])
    assert.deepEqual(told(planned), [
      'taro@campus.example | added',
      'hanako@campus.example | changed | name | addresses',
      'hanako@campus.example | same',
    ])
    const accounts = planned.edits.flatMap((edit) =>
      edit.kind === 'put' && edit.row.kind === 'account' ? [edit.row.account] : [],
    )
    assert.deepEqual(
      accounts.map(({ username, credential, addresses, quota }) => [
        username,
        credential,
        addresses.length,
        quota,
      ]),
      [
        ['taro', HASH, 0, { bytes: 5 }],
        ['hanako', HASH, 2, undefined],
      ],
    )
  })

  it('leaves the directory that it was tried in as it was', () => {
    const now = directory()
    const before = JSON.stringify([now.accounts(), now.aliases(), now.domains()])
    plan([person('taro')], [group('all', 'taro', 'staff')], { now })
    assert.equal(JSON.stringify([now.accounts(), now.aliases(), now.domains()]), before)
  })

  it('replaces a password only where that is asked for, and its SCRAM keys with it', () => {
    assert.deepEqual(told(plan([person('hanako', { passwordHash: OTHER })])), [
      'hanako@campus.example | same',
    ])
    const planned = plan([person('hanako', { passwordHash: OTHER })], [], {
      replacePasswords: true,
    })
    assert.deepEqual(told(planned), ['hanako@campus.example | changed | password'])
    const [edit] = planned.edits
    assert.ok(edit?.kind === 'put' && edit.row.kind === 'account')
    const { credential, credentialVersion, scram } = edit.row.account
    assert.deepEqual([credential, credentialVersion, scram], [OTHER, 2, undefined])
  })

  it('two who claim one address, foreign domains, hashes that nobody can check: told, and the rest is taken', () => {
    assert.deepEqual(
      told(
        plan([
          person('taro', {
            addresses: ['h@campus.example', 't@else.example', 't@campus.example', 'no address@'],
          }),
          person('jiro', { addresses: ['t@campus.example'], passwordHash: '{CRYPT}x' }),
          person('h'),
          person('saburo', { domain: 'else.example' }),
          person('UPPER'),
        ]),
      ),
      [
        'taro@campus.example | added | h@campus.example is an address of hanako@campus.example | t@else.example: else.example is no local domain | no address@ is no address',
        'jiro@campus.example | added | t@campus.example is an address of taro@campus.example | the hash of the password is of a kind that cannot be checked',
        'h@campus.example | refused | h@campus.example is an address of hanako@campus.example',
        'saburo@else.example | refused | else.example is no local domain',
        'UPPER@campus.example | refused | UPPER@campus.example is no address for an account',
      ],
    )
  })

  it('groups lead to people of the same file; a circle is refused, and whoever is no address left out', () => {
    const planned = plan(
      [person('taro', { forward: { to: ['hanako'], keep: true } })],
      [
        group('all', 'taro', 'staff', 'bad address@'),
        group('staff', 'hanako'),
        group('staff', 'all', 'taro'),
        group('empty', 'x y@'),
        group('hanako', 'taro'),
        group('out@else.example', 'taro'),
      ],
    )
    assert.deepEqual(told(planned), [
      'taro@campus.example | added',
      'all@campus.example | added | bad address@ is no address',
      'staff@campus.example | same',
      'staff@campus.example | refused | mail would go round in a circle: staff@campus.example → all@campus.example → staff@campus.example',
      'empty@campus.example | refused | nobody is left in it; x y@ is no address',
      'hanako@campus.example | refused | hanako@campus.example is an address of hanako@campus.example',
      'out@else.example | refused | else.example is no local domain',
    ])
    assert.deepEqual(
      planned.edits.map((edit) => edit.kind === 'put' && edit.row.kind),
      ['account', 'forward', 'alias'],
    )
  })
})
