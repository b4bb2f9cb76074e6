import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Account, AccountId } from '#model/account.ts'
import { adopt } from '#model/adoption.ts'
import { formatAddress } from '#model/address.ts'
import type { Person } from '#model/person.ts'
import type { DirectorySource } from '#model/source.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { MemoryDirectory } from '#store/directory/memory-directory.ts'
import { fakeAccount } from '#test/fake/directory.ts'
import { gather } from './gather.ts'
import type { SourceReading } from './gather.ts'
import { planSources } from './sources.ts'

const HASHES = [1, 2].map((octet) => `{SSHA}${Buffer.alloc(24, octet).toString('base64')}`)

const source = (name: string, order: number, auth: 'bind' | 'hash' = 'bind'): DirectorySource => ({
  name,
  order,
  servers: [],
  base: 'dc=campus',
  key: 'entryUUID',
  auth,
})

const reading = (
  from: DirectorySource,
  people: Readonly<Record<string, Partial<Person> & { readonly username: string }>>,
): SourceReading => ({
  source: from,
  people: new Map(
    Object.entries(people).map(([key, person]) => [
      key.includes('=') ? key : `entryuuid=${key}`,
      { dn: `uid=${person.username}`, person: { source: key, addresses: [], ...person } },
    ]),
  ),
})

/** A directory that each reading of sources is written into. */
class Home {
  #accounts: readonly Account[]
  #ids = 0

  constructor(...accounts: readonly Account[]) {
    this.#accounts = accounts
  }

  get directory(): MemoryDirectory {
    const rows: DirectoryRow[] = this.#accounts.map((account) => ({ kind: 'account', account }))
    return new MemoryDirectory([{ kind: 'domain', domain: { name: 'campus.example' } }, ...rows])
  }

  /** What is told of what is not taken. */
  take(...readings: readonly SourceReading[]): readonly string[] {
    const { directory } = this
    const newId = (): AccountId => `new-${++this.#ids}` as AccountId
    const { edits, notes } = planSources(directory, gather(directory, readings), newId)
    const put = edits.flatMap((edit) => (edit.kind === 'put' ? [edit.row] : []))
    const changed = put.flatMap((row) => (row.kind === 'account' ? [row.account] : []))
    this.written = changed.length
    const left = this.#accounts.filter(({ id }) => !changed.some((each) => each.id === id))
    this.#accounts = [...left, ...changed]
    return notes.map(({ source: name, text }) => `${name}: ${text}`)
  }

  /** Accounts that the last reading has written. */
  written = 0

  edit(username: string, change: (account: Account) => Account): void {
    this.#accounts = this.#accounts.map((each) =>
      each.username === username ? change(each) : each,
    )
  }

  of(username: string): Account {
    const found = this.#accounts.find((each) => each.username === username)
    assert.ok(found, username)
    return found
  }

  get names(): readonly string[] {
    return this.#accounts.map(({ username }) => username).toSorted()
  }
}

describe('people of several sources', () => {
  it('tell nothing of mailboxes: what is said of them here stays', () => {
    const home = new Home()
    const told = (bytes?: number) =>
      reading(source('newer', 1), {
        n1: { username: 'hanako', ...(bytes !== undefined && { quota: { bytes } }) },
      })
    home.take(told(7))
    home.edit('hanako', (account) => ({ ...account, quota: { ...account.quota, mailboxes: 3 } }))
    home.take(told(8))
    assert.deepEqual(home.of('hanako').quota, { bytes: 8, mailboxes: 3 })
    home.take(told())
    assert.deepEqual(home.of('hanako').quota, { mailboxes: 3 })
  })

  it('are one person where they have one address; each attribute is the first one that says it', () => {
    const home = new Home()
    const newer = reading(source('newer', 1), {
      n1: { username: 'hanako', name: '花子', quota: { bytes: 7 } },
      n2: { username: 'taro' },
    })
    const older = reading(source('older', 2), {
      o1: { username: 'hanako', name: 'Hanako', addresses: ['h@campus.example'], disabled: false },
      o3: { username: 'jiro', name: '次郎' },
    })
    assert.deepEqual(home.take(older, newer), []) // in whichever order they were read
    assert.deepEqual(home.names, ['hanako', 'jiro', 'taro'])
    const { name, quota, addresses, origins, bind } = home.of('hanako')
    assert.deepEqual(
      [name, quota, addresses.map(formatAddress)],
      ['花子', { bytes: 7 }, ['h@campus.example']],
    )
    assert.deepEqual(
      origins?.map(({ source: each }) => each),
      ['newer', 'older'],
    )
    assert.equal(bind?.source, 'newer')
    assert.equal(home.of('jiro').bind?.source, 'older')
    home.take(older, newer)
    assert.equal(home.written, 0)
  })

  it('who was made here keeps what is said here, and what others say is added', () => {
    const own = {
      ...fakeAccount('hanako@campus.example', ['own@campus.example']),
      name: '山田',
      credential: HASHES[0]!,
    }
    const home = new Home(own)
    home.take(
      reading(source('ldap', 1), {
        k: { username: 'hanako', name: 'X', addresses: ['h@campus.example'] },
      }),
    )
    const account = home.of('hanako')
    assert.deepEqual(
      [account.id, account.name, account.credential, account.bind],
      [own.id, '山田', HASHES[0], undefined],
    )
    assert.deepEqual(account.addresses.map(formatAddress), [
      'own@campus.example',
      'h@campus.example',
    ])
    home.take(reading(source('ldap', 1), {}))
    assert.deepEqual([home.of('hanako').disabled, home.of('hanako').origins], [false, undefined])
  })

  it('a password that has become ours stays, whatever the source is set to or says later', () => {
    const adopting = { ...source('ldap', 1), adoptPasswords: true } as const
    const home = new Home()
    home.take(reading(adopting, { k: { username: 'hanako' }, l: { username: 'taro' } }))
    const secrets = { credential: HASHES[0]!, scram: 'keys' }
    home.edit('hanako', (account) => adopt(account, secrets))
    const again = reading(source('ldap', 1), {
      k: { username: 'hanako', name: '山田 花子' },
      l: { username: 'taro' },
    })
    home.take(again)
    const { name, credential, scram, credentialVersion, bind } = home.of('hanako')
    assert.deepEqual(
      [name, credential, scram, credentialVersion, bind],
      ['山田 花子', HASHES[0], 'keys', 1, undefined],
    )
    assert.equal(home.of('taro').bind?.source, 'ldap')
    home.take(again)
    assert.equal(home.written, 0)
    // Somebody else of that name is not let in by it.
    home.take(reading(adopting, { l: { username: 'taro' } }))
    home.take(reading(adopting, { m: { username: 'hanako' }, l: { username: 'taro' } }))
    assert.equal(home.of('hanako').disabled, true)
    // A directory that comes first decides, as always.
    home.take(
      reading(source('first', 0), { f: { username: 'hanako' } }),
      reading(adopting, { k: { username: 'hanako' }, l: { username: 'taro' } }),
    )
    assert.equal(home.of('hanako').credential, undefined)
    assert.equal(home.of('hanako').bind?.source, 'first')
  })

  it('tags and days told here stay; readings come from elsewhere; a number of two people is told', () => {
    const home = new Home()
    const people = (more: Partial<Person>) =>
      reading(source('ldap', 1), {
        a: { username: 'hanako', reading: 'やまだ', externalId: '1', ...more },
        b: { username: 'taro', externalId: '1' },
      })
    assert.deepEqual(home.take(people({})), ['ldap: 1 is the external id of hanako@campus.example'])
    home.edit('hanako', (account) => ({ ...account, tags: ['法学部'], expiresOn: '2031-03-31' }))
    home.take(people({ reading: 'すずき', formerNames: ['山田'] }))
    const { reading: said, tags, expiresOn, formerNames, externalId } = home.of('hanako')
    assert.deepEqual(
      [said, tags, expiresOn, formerNames, externalId],
      ['すずき', ['法学部'], '2031-03-31', ['山田'], '1'],
    )
    assert.equal(home.of('taro').externalId, undefined)
    home.take(people({ reading: 'すずき', formerNames: ['山田'] }))
    assert.equal(home.written, 0)
  })

  it('what an identity provider says besides stays over a reading', () => {
    const home = new Home()
    const ldap = source('ldap', 1)
    home.take(reading(ldap, { a: { username: 'hanako', name: '花子' } }))
    const profile = { department: '総務部', familyName: '山田' }
    home.edit('hanako', (account) => ({ ...account, profile }))
    home.take(reading(ldap, { a: { username: 'hanako', name: '鈴木 花子' } }))
    assert.deepEqual([home.of('hanako').name, home.of('hanako').profile], ['鈴木 花子', profile])
  })

  it('keep their account under a new name, since the key is the same', () => {
    const home = new Home()
    const ldap = source('ldap', 1)
    home.take(reading(ldap, { k: { username: 'yamada', addresses: ['y@campus.example'] } }))
    const { id } = home.of('yamada')
    home.take(reading(ldap, { k: { username: 'sato', addresses: ['s@campus.example'] } }))
    assert.deepEqual(home.names, ['sato'])
    assert.equal(home.of('sato').id, id)
    assert.deepEqual(home.of('sato').addresses.map(formatAddress), ['s@campus.example'])
  })

  it('a name that is used again in the same source gets nobody’s mailbox', () => {
    const home = new Home()
    const ldap = source('ldap', 1)
    home.take(reading(ldap, { old: { username: 'aiko' } }))
    const { id } = home.of('aiko')
    for (let again = 0; again < 3; again++) {
      assert.deepEqual(home.take(reading(ldap, { new: { username: 'aiko' } })), [
        'ldap: aiko@campus.example is an address of aiko@campus.example',
      ])
      assert.deepEqual([home.of('aiko').id, home.of('aiko').disabled], [id, true])
    }
    home.take(reading(ldap, { old: { username: 'aiko' } }))
    assert.deepEqual([home.of('aiko').disabled, home.of('aiko').isGone], [false, undefined])
  })

  it('known by another attribute than before they are found by their address', () => {
    const home = new Home()
    const ldap = source('ldap', 1)
    home.take(reading(ldap, { old: { username: 'aiko' } }))
    const { id } = home.of('aiko')
    home.take(reading(ldap, { 'employeenumber=7': { username: 'aiko' } }))
    assert.deepEqual([home.of('aiko').id, home.of('aiko').disabled], [id, false])
    assert.equal(home.of('aiko').bind?.key, 'employeenumber=7')
  })

  it('let nobody in when their last source has them no more, and again when one has; who was disabled here stays so', () => {
    const home = new Home()
    const ldap = source('ldap', 1)
    const all = reading(ldap, { a: { username: 'aiko' }, b: { username: 'jun' } })
    home.take(all)
    home.edit('jun', (account) => ({ ...account, disabled: true }))
    home.take(reading(ldap, {}))
    assert.deepEqual([home.of('aiko').disabled, home.of('jun').disabled], [true, true])
    home.take(reading(ldap, {}))
    assert.equal(home.written, 0)
    home.take(all)
    assert.deepEqual([home.of('aiko').disabled, home.of('jun').disabled], [false, true])
    home.take(reading(ldap, { a: { username: 'aiko', disabled: true }, b: { username: 'jun' } }))
    assert.equal(home.of('aiko').disabled, true)
  })

  it('stay as they are while one of their sources has not been read', () => {
    const home = new Home()
    const [one, two] = [source('one', 1), source('two', 2)]
    const first = reading(one, { a: { username: 'aiko', name: '愛子' } })
    home.take(first, reading(two, { b: { username: 'aiko', addresses: ['a@campus.example'] } }))
    home.take(first)
    assert.equal(home.written, 0)
    home.take(reading(two, { b: { username: 'aiko' } }))
    assert.equal(home.written, 0)
    home.take(first, reading(two, {}))
    assert.deepEqual(
      home.of('aiko').origins?.map(({ source: each }) => each),
      ['one'],
    )
  })

  it('a hash that stands there is the password until another one stands there, though it was made anew here', () => {
    const home = new Home()
    const ldap = source('ldap', 1, 'hash')
    const said = (passwordHash: string) => reading(ldap, { a: { username: 'aiko', passwordHash } })
    home.take(said(HASHES[0]!))
    const { credential, credentialVersion } = home.of('aiko')
    assert.equal(credential, HASHES[0])
    home.edit('aiko', (account) => ({ ...account, credential: '$argon2id$', scram: 'keys' }))
    home.take(said(HASHES[0]!))
    assert.equal(home.written, 0)
    home.take(said(HASHES[1]!))
    const now = home.of('aiko')
    assert.deepEqual([now.credential, now.scram], [HASHES[1], undefined])
    assert.ok(now.credentialVersion > credentialVersion)
    // From a bind on, the hash of before lets nobody in.
    home.take(reading(source('ldap', 1), { a: { username: 'aiko' } }))
    assert.deepEqual(
      [home.of('aiko').credential, home.of('aiko').bind?.key],
      [undefined, 'entryuuid=a'],
    )
  })

  it('two who claim one address: the first has it, and of the other it is told', () => {
    const home = new Home()
    const notes = home.take(
      reading(source('one', 1), {
        a: { username: 'aiko', addresses: ['info@campus.example'] },
        b: { username: 'jun', addresses: ['info@campus.example', 'x@else.example'] },
        c: { username: 'info' },
        d: { username: 'aiko', name: '同じ名前' },
      }),
    )
    assert.deepEqual(notes, [
      'one: info@campus.example is an address of aiko@campus.example',
      'one: x@else.example: else.example is no local domain',
      'one: info@campus.example is an address of aiko@campus.example',
      'one: aiko@campus.example is an address of aiko@campus.example',
    ])
    assert.deepEqual(home.names, ['aiko', 'jun'])
  })
})
