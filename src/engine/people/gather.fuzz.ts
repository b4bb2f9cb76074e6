import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Account, AccountId } from '#model/account.ts'
import type { DirectorySource } from '#model/source.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { MemoryDirectory } from '#store/directory/memory-directory.ts'
import { fakeAccount } from '#test/fake/directory.ts'
import { emptyCsns } from '#codec/ldap/csn.ts'
import { gather, gatherSome } from './gather.ts'
import type { Gathered } from './gather.ts'
import { SourceCopy, noNews } from './source-copy.ts'
import { planSources } from './sources.ts'

const NAMES = ['hanako', 'taro', 'jiro', 'saki', '花子']
const SOURCES = ['newer', 'older'] as const

/** An entry of a source has this name from now on, or none any more. */
const step = fc.record({
  source: fc.constantFrom(...SOURCES),
  id: fc.constantFrom('1', '2', '3', '4'),
  name: fc.option(fc.constantFrom(...NAMES), { nil: undefined }),
  title: fc.constantFrom('課長', '部長', 'Prof.'),
})
const steps = fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), { maxLength: 8 })

test('news change what reading everything anew would, whoever is whose namesake', () => {
  fc.assert(
    fc.property(fc.constantFrom(undefined, ...NAMES), steps, (own, rounds) => {
      const home = new Home(own)
      home.take(gather(home.directory, home.copies))
      for (const round of rounds) {
        const touched: (readonly [string, string])[] = []
        for (const copy of home.copies) {
          const news = noNews()
          for (const { source, id, name, title } of round) {
            if (source !== copy.source.name) continue
            news.entries.delete(id)
            news.gone.delete(id)
            if (name === undefined) news.gone.add(id)
            else
              news.entries.set(id, {
                id,
                csn: undefined,
                dn: `uid=${name},ou=${source}`,
                key: `entryuuid=${id}`,
                person: { source, username: name, name: `${name} ${title}`, addresses: [] },
                exceptions: [],
              })
          }
          const keys = copy.take(copy.plan(news, emptyCsns), emptyCsns)
          for (const key of keys === 'everybody' ? copy.people.keys() : keys)
            touched.push([copy.source.name, key])
        }
        const { noted } = home.take(gatherSome(home.directory, home.copies, touched))
        // Who gets a name that somebody else has had is refused until that one is written.
        home.take(gatherSome(home.directory, home.copies, noted))
        assert.deepEqual(home.take(gather(home.directory, home.copies)).written, [])
      }
    }),
    { numRuns: 60 },
  )
})

/** Two sources and the accounts that they make. */
class Home {
  readonly copies = SOURCES.map((name, order) => new SourceCopy(source(name, order + 1)))
  #accounts = new Map<AccountId, Account>()
  #ids = 0

  constructor(own: string | undefined) {
    const account = own === undefined ? undefined : fakeAccount(`${own}@campus.example`)
    if (account !== undefined) this.#accounts.set(account.id, account)
  }

  get directory(): MemoryDirectory {
    const rows = [...this.#accounts.values()].map((account): DirectoryRow => ({
      kind: 'account',
      account,
    }))
    return new MemoryDirectory([{ kind: 'domain', domain: { name: 'campus.example' } }, ...rows])
  }

  /** The accounts that are written, and of whom something was not taken. */
  take(people: readonly Gathered[]): {
    readonly written: readonly Account[]
    readonly noted: readonly (readonly [string, string])[]
  } {
    const newId = (): AccountId => `new-${++this.#ids}` as AccountId
    const { edits, notes } = planSources(this.directory, people, newId)
    const written = edits.flatMap((edit) =>
      edit.kind === 'put' && edit.row.kind === 'account' ? [edit.row.account] : [],
    )
    for (const account of written) this.#accounts.set(account.id, account)
    return { written, noted: notes.map((note) => [note.source, note.key] as const) }
  }
}

const source = (name: string, order: number): DirectorySource => ({
  name,
  order,
  servers: [],
  base: 'dc=campus',
  key: 'entryUUID',
  auth: 'bind',
})
