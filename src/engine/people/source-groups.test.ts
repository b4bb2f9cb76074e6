import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fromUtf8 } from '#base/octets.ts'
import { emptyCsns } from '#codec/ldap/csn.ts'
import { readLdif } from '#codec/ldif/ldif.ts'
import type { AccountId } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import type { DirectorySource } from '#model/source.ts'
import type { DirectoryEdit } from '#store/directory/check-edits.ts'
import type { DirectoryChange, DirectoryRow } from '#store/directory/directory.ts'
import { MemoryDirectory } from '#store/directory/memory-directory.ts'
import { rowKey } from '#store/directory/row-key.ts'
import { addr, fakeAccount } from '#test/fake/directory.ts'
import { gather } from './gather.ts'
import { GroupRows } from './group-rows.ts'
import type { Touched } from './group-rows.ts'
import { copiedEntry } from './read-source.ts'
import { textsOf } from './entry-texts.ts'
import { SourceCopy, noNews } from './source-copy.ts'
import { planGroups } from './source-groups.ts'
import { planSources } from './sources.ts'

const source = (name: string, order: number): DirectorySource => ({
  name,
  order,
  servers: [],
  base: 'dc=campus',
  key: 'entryUUID',
  auth: 'bind',
  groups: true,
})

/** A directory that sources are written into as control does it. */
class Home {
  readonly directory = new MemoryDirectory()
  readonly #found = new GroupRows(() => this.directory)
  #ids = 0

  constructor(...rows: readonly DirectoryRow[]) {
    this.put({ kind: 'domain', domain: { name: 'campus.example' } })
    for (const row of rows) this.put(row)
  }

  put(row: DirectoryRow): void {
    this.#write([{ kind: 'put', row }])
  }

  /** What is told of what is not taken. */
  async take(copies: readonly SourceCopy[], touched: Touched = 'all'): Promise<readonly string[]> {
    const newId = (): AccountId => `new-${++this.#ids}` as AccountId
    this.#write(planSources(this.directory, gather(this.directory, copies), newId).edits)
    const concerned = await this.#found.concerned(copies, touched)
    const { edits, notes } = planGroups(this.directory, copies, concerned.values())
    this.written = edits.length
    this.#write(edits)
    return notes.map(({ source: name, text }) => `${name}: ${text}`)
  }

  /** Groups that were written last. */
  written = 0

  #write(edits: readonly DirectoryEdit[]): void {
    const { seq } = this.directory
    const changes = edits.map((edit, at): DirectoryChange => {
      const key = edit.kind === 'put' ? rowKey(edit.row) : edit.key
      return { seq: seq + at + 1, key, row: edit.kind === 'put' ? edit.row : null }
    })
    this.directory.apply(changes)
    if (changes.length > 0) this.#found.note(changes)
  }

  get groups(): Readonly<Record<string, readonly string[]>> {
    const groups = [...this.directory.aliases()].map(
      ({ from, to }) => [formatAddress(from), to.map(formatAddress).toSorted()] as const,
    )
    return Object.fromEntries(groups.toSorted(([a], [b]) => (a < b ? -1 : 1)))
  }
}

/** What a source says now; the keys of what it concerns. */
function tell(copy: SourceCopy, ldif: string): Touched {
  const news = { ...noNews(), isRestGone: true }
  for (const record of readLdif(fromUtf8(ldif))) {
    if (!('entry' in record)) assert.fail(JSON.stringify(record))
    const { dn, attributes } = record.entry
    // As Active Directory names it, which no file of LDIF may.
    const named = attributes.map(({ type, values }) => ({
      type: type.replace(';cut', ';range=0-0'),
      values,
    }))
    news.entries.set(dn, copiedEntry(copy.source, textsOf({ dn, attributes: named }), dn))
  }
  const keys = copy.take(copy.plan(news, emptyCsns), emptyCsns)
  return keys === 'everybody' ? 'all' : [...keys].map((key) => [copy.source.name, key])
}

const person = (uid: string, more = ''): string =>
  `dn: uid=${uid},ou=people,dc=campus\nobjectClass: inetOrgPerson\nuid: ${uid}\nsn: x\ncn: ${uid} 様\nentryUUID: ${uid}\n${more}`
const group = (cn: string, lines: string): string =>
  `dn: cn=${cn},ou=groups,dc=campus\ncn: ${cn}\nentryUUID: g-${cn}\n${lines}\n`
const dnOf = (uid: string): string => `member: UID=${uid}, ou=people,dc=campus`

describe('groups of sources', () => {
  it('lead to their members, by DN, user name and address, in whatever classes they are', async () => {
    const home = new Home()
    const copy = new SourceCopy(source('campus', 1))
    tell(
      copy,
      [
        person('hanako'),
        person('花子'),
        group('teachers', `objectClass: groupOfNames\n${dnOf('hanako')}\n${dnOf('花子')}`),
        group(
          'unique',
          `objectClass: groupOfUniqueNames\nmail: Both@campus.example\nuniqueMember: cn=teachers,ou=groups,dc=campus\nuniqueMember: cn=gone,dc=campus`,
        ),
        group(
          'unix',
          `objectClass: posixGroup\ngidNumber: 7\nmemberUid: Hanako\nmemberUid: nobody`,
        ),
        group(
          'list',
          `objectClass: mailGroup\nmail: list@campus.example\nmgrpRFC822MailMember: x@else.example\nrfc822MailMember: hanako`,
        ),
        group(
          'zimbra',
          `objectClass: zimbraDistributionList\nmail: z@campus.example\nzimbraMailAlias: zz@campus.example\ndisplayName: 事務室\nzimbraMailForwardingAddress: hanako@campus.example`,
        ),
        group('empty', `objectClass: posixGroup\ngidNumber: 8`),
        group('営業', `objectClass: groupOfNames\n${dnOf('hanako')}`),
      ].join('\n'),
    )
    assert.deepEqual(await home.take([copy]), [
      'campus: a member that is nobody here: cn=gone',
      'campus: a member that is nobody here: nobody',
    ])
    assert.deepEqual(home.groups, {
      'both@campus.example': ['teachers@campus.example'],
      'empty@campus.example': [],
      'list@campus.example': ['hanako@campus.example', 'x@else.example'],
      'teachers@campus.example': ['hanako@campus.example', '花子@campus.example'],
      'unix@campus.example': ['hanako@campus.example'],
      'z@campus.example': ['hanako@campus.example'],
      'zz@campus.example': ['z@campus.example'],
      '営業@campus.example': ['hanako@campus.example'],
    })
    assert.equal(home.directory.alias(addr('z@campus.example'))?.name, '事務室')
    await home.take([copy])
    assert.equal(home.written, 0)
  })

  it('follow their members: renamed, gone, come; and are gone when no source has them', async () => {
    const home = new Home()
    const copy = new SourceCopy(source('campus', 1))
    const staff = group('staff', `objectClass: groupOfNames\n${dnOf('taro')}\n${dnOf('saki')}`)
    await home.take([copy], tell(copy, [person('taro'), staff].join('\n')))
    assert.deepEqual(home.groups, { 'staff@campus.example': ['taro@campus.example'] })
    await home.take([copy], tell(copy, [person('taro'), person('saki'), staff].join('\n')))
    assert.deepEqual(home.groups, {
      'staff@campus.example': ['saki@campus.example', 'taro@campus.example'],
    })
    await home.take([copy], tell(copy, [person('saki'), staff].join('\n')))
    assert.deepEqual(home.groups, { 'staff@campus.example': ['saki@campus.example'] })
    const moved = staff.replace('objectClass', 'mail: office@campus.example\nobjectClass')
    await home.take([copy], tell(copy, [person('saki'), moved].join('\n')))
    assert.deepEqual(home.groups, { 'office@campus.example': ['saki@campus.example'] })
    await home.take([copy], tell(copy, person('saki')))
    assert.deepEqual(home.groups, {})
  })

  it('that are in one another in a circle have all others of their members, and that is told', async () => {
    const home = new Home()
    const copy = new SourceCopy(source('campus', 1))
    const member = (cn: string): string => `member: cn=${cn},ou=groups,dc=campus`
    const ldif = [
      person('taro'),
      group('a', `objectClass: groupOfNames\n${member('b')}\n${dnOf('taro')}`),
      group('b', `objectClass: groupOfNames\n${member('c')}\n${dnOf('taro')}`),
      group('c', `objectClass: groupOfNames\n${member('a')}\n${member('c')}\n${dnOf('taro')}`),
    ].join('\n')
    tell(copy, ldif)
    const notes = await home.take([copy])
    assert.equal(notes.length, 2, notes.join('\n'))
    for (const note of notes)
      assert.match(note, /^campus: a member is left out: mail would go round/)
    assert.deepEqual(home.groups, {
      'a@campus.example': ['b@campus.example', 'taro@campus.example'],
      'b@campus.example': ['c@campus.example', 'taro@campus.example'],
      'c@campus.example': ['taro@campus.example'],
    })
    assert.deepEqual(await home.take([copy]), notes)
    assert.equal(home.written, 0)
  })

  it('merge by the order of their sources; an address that somebody has is told, and stays theirs', async () => {
    const own = { from: addr('own@campus.example'), to: [addr('x@else.example')] }
    const home = new Home(
      { kind: 'account', account: fakeAccount('info@campus.example') },
      { kind: 'alias', alias: own },
    )
    const newer = new SourceCopy(source('newer', 1))
    const older = new SourceCopy(source('older', 2))
    tell(
      newer,
      [person('taro'), group('both', 'objectClass: posixGroup\ndescription: no members yet')].join(
        '\n',
      ),
    )
    tell(
      older,
      [
        person('taro'),
        group('both', `objectClass: groupOfNames\n${dnOf('taro')}\n${dnOf('info')}`),
        group('info', `objectClass: groupOfNames\n${dnOf('taro')}`),
        group('own', `objectClass: groupOfNames\n${dnOf('taro')}`),
        group('far', `objectClass: groupOfNames\nmail: far@else.example\n${dnOf('taro')}`),
      ].join('\n'),
    )
    assert.deepEqual((await home.take([older, newer])).toSorted(), [
      'older: a member that is nobody here: UID=info',
      'older: else.example is no local domain',
      'older: info@campus.example is an address of info@campus.example',
      'older: own@campus.example was made here, and stays as it is',
    ])
    assert.deepEqual(home.groups, {
      'both@campus.example': ['taro@campus.example'],
      'own@campus.example': ['x@else.example'],
    })
    assert.deepEqual(
      home.directory.alias(addr('both@campus.example'))?.origins?.map((each) => each.source),
      ['newer', 'older'],
    )
  })

  it('of a source that was not read since the start stay, and so does one that is told in part', async () => {
    const home = new Home({ kind: 'source', source: source('away', 1) })
    const copy = new SourceCopy(source('campus', 2))
    const origins = [{ source: 'away', key: 'entryuuid=1', dn: 'cn=kept' }]
    const kept = { from: addr('kept@campus.example'), to: [addr('x@else.example')], origins }
    home.put({ kind: 'alias', alias: kept })
    const big = (members: string) =>
      group('big', `objectClass: group\nmail: big@campus.example\n${members}`)
    await home.take(
      [copy],
      tell(copy, [person('taro'), person('saki'), big(dnOf('taro'))].join('\n')),
    )
    const cut = big(`member;cut: uid=saki,ou=people,dc=campus`)
    const notes = await home.take(
      [copy],
      tell(copy, [person('taro'), person('saki'), cut].join('\n')),
    )
    assert.match(notes.join('\n'), /a part of its members only/)
    assert.deepEqual(home.groups, {
      'big@campus.example': ['taro@campus.example'],
      'kept@campus.example': ['x@else.example'],
    })
  })

  it('what changes comes to the same as reading everything anew', async () => {
    const names = ['a', 'b', 'c', '営'] as const
    const people = ['taro', 'saki', '花子'] as const
    const state = fc.record({
      people: fc.subarray([...people]),
      groups: fc.uniqueArray(
        fc.record({
          cn: fc.constantFrom(...names),
          members: fc.subarray([...people]),
          nested: fc.subarray([...names]),
          isMoved: fc.boolean(),
        }),
        { selector: ({ cn }) => cn },
      ),
    })
    const ldifOf = (told: typeof state extends fc.Arbitrary<infer T> ? T : never): string =>
      [
        ...told.people.map((uid) => person(uid)),
        ...told.groups.map(({ cn, members, nested, isMoved }) =>
          group(
            cn,
            [
              'objectClass: groupOfNames',
              ...(isMoved ? [`mail: moved-${cn}@campus.example`] : []),
              ...members.map(dnOf),
              ...nested.map((each) => `member: cn=${each},ou=groups,dc=campus`),
            ].join('\n'),
          ),
        ),
      ].join('\n')
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(state, state), { minLength: 1, maxLength: 5 }),
        async (rounds) => {
          const home = new Home()
          const copies = [new SourceCopy(source('newer', 1)), new SourceCopy(source('older', 2))]
          await home.take(copies)
          for (const round of rounds) {
            const touched = copies.map((copy, at) => tell(copy, ldifOf(round[at]!)))
            const isAll = touched.includes('all')
            await home.take(
              copies,
              isAll ? 'all' : touched.flatMap((each) => (each === 'all' ? [] : each)),
            )
            // A circle that another change opens is taken at the next look at all.
            const before = home.groups
            await home.take(copies)
            const opened = Object.entries(home.groups).filter(
              ([from, to]) => JSON.stringify(before[from]) !== JSON.stringify(to),
            )
            for (const [from, to] of opened)
              assert.ok(
                (before[from] ?? []).every((each) => to.includes(each)) &&
                  before[from] !== undefined,
                `${from}: ${before[from]?.join()} / ${to.join()}`,
              )
            assert.deepEqual(Object.keys(before), Object.keys(home.groups))
          }
        },
      ),
      { numRuns: 40 },
    )
  })
})
