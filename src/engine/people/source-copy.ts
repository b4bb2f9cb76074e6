import { emptyCsns, hasCsn, isBehind, newerCsns } from '#codec/ldap/csn.ts'
import type { CsnVector } from '#codec/ldap/csn.ts'
import type { CensusException, Person } from '#model/person.ts'
import type { DirectorySource } from '#model/source.ts'
import type { SourcePerson, SourceReading } from './gather.ts'
import { ManyMap } from './many-map.ts'
import { MemberNames } from './member-names.ts'
import type { ToldGroup } from './told-group.ts'
import type { CopiedEntry } from './copied-entry.ts'

/** What one server has said; by the names that entries have for good (entryUUID). */
export interface SourceNews {
  readonly entries: Map<string, CopiedEntry>
  readonly gone: Set<string>
  readonly stays: Set<string>
  /** Whatever was neither sent nor named is gone. */
  isRestGone: boolean
}

export const noNews = (): SourceNews => ({
  entries: new Map(),
  gone: new Set(),
  stays: new Set(),
  isRestGone: false,
})

/** What of the news is taken. */
export interface CopyChange {
  readonly puts: readonly CopiedEntry[]
  /** All of them by their names, where nothing was there before: nobody else holds it. */
  readonly first?: Map<string, CopiedEntry>
  readonly gone: readonly string[]
  /** How many people it takes away, and how many groups. */
  readonly lost: number
  readonly lostGroups: number
  /** Whatever was told before counts no more. */
  readonly isBelieved: boolean
}

/**
 * The content of a source as its servers have told it, whichever of them: one that is behind the others
 * undoes nothing that is newer. An entry is as old as its entryCSN; that an entry is not there is as old as
 * the server's contextCSN.
 */
export class SourceCopy implements SourceReading {
  readonly source: DirectorySource
  #entries = new Map<string, CopiedEntry>()
  readonly #people = new Map<string, Shown>()
  /** Entries that are known by a key that another one came with before: that one is the person. */
  readonly #doubles = new ManyMap()
  /** Made when somebody asks first: the reading of a whole source asks nobody by name. */
  #keys: ManyMap | undefined
  readonly #odd = new Set<string>()
  readonly #groups = new Map<string, SourceGroup>()
  /** Where groups are wanted. */
  readonly members: MemberNames | undefined
  #seen: CsnVector = emptyCsns

  constructor(source: DirectorySource) {
    this.source = source
    this.members = source.groups === true ? new MemberNames() : undefined
  }

  /** By what each is known by. */
  get groups(): ReadonlyMap<string, SourceGroup> {
    return this.#groups
  }

  get people(): ReadonlyMap<string, SourcePerson> {
    return this.#people
  }

  /** Up to which changes it has come. */
  get seen(): CsnVector {
    return this.#seen
  }

  get size(): number {
    return this.#entries.size
  }

  /** Whoever is called so, `user` or `user@domain`, by their keys. */
  named(name: string): readonly string[] {
    if (this.#keys === undefined) {
      this.#keys = new ManyMap()
      for (const [key, { person }] of this.#people) this.#keys.add(nameOf(person), key)
    }
    return this.#keys.get(name)
  }

  /** As they were told. */
  entries(): Iterable<CopiedEntry> {
    return this.#entries.values()
  }

  exceptions(): readonly CensusException[] {
    return [...this.#odd].flatMap((id) => {
      const { dn, key, exceptions } = this.#entries.get(id)!
      const texts = exceptions.map((text) => ({ source: dn, text }))
      const first = key === undefined ? id : (this.#people.get(key)?.id ?? id)
      if (first === id) return texts
      return [...texts, { source: dn, text: `${key} is that of ${this.#entries.get(first)!.dn}` }]
    })
  }

  /**
   * What the news of a server that has come so far would change. `isBelieved`: as if nobody had said
   * anything before, as of a server that was set up again from a backup.
   */
  plan(news: SourceNews, server: CsnVector, { isBelieved = false } = {}): CopyChange {
    const puts: CopiedEntry[] = []
    const gone: string[] = []
    const knows = (csn: string | undefined): boolean =>
      isBelieved ||
      csn === undefined ||
      server.size === 0 ||
      hasCsn(server, csn) ||
      !hasCsn(this.#seen, csn)
    const leave = (id: string): void => {
      const before = this.#entries.get(id)
      if (before !== undefined && knows(before.csn)) gone.push(id)
    }
    const lacks = server.size > 0 && isBehind(server, this.#seen)
    for (const each of news.entries.values()) {
      const { id, csn } = each
      const before = this.#entries.get(id)
      if (csn !== undefined && !isBelieved) {
        if (before?.csn !== undefined && csn < before.csn) continue
        // It is gone since, and this server has not heard of it.
        if (before === undefined && lacks && hasCsn(this.#seen, csn)) continue
      }
      if (before === undefined || !isSame(before, each)) puts.push(each)
    }
    for (const id of news.gone) leave(id)
    if (news.isRestGone)
      for (const id of this.#entries.keys())
        if (!news.entries.has(id) && !news.stays.has(id) && !news.gone.has(id)) leave(id)
    const change = {
      puts,
      gone,
      lost: this.#lost('person', puts, gone),
      lostGroups: this.#lost('group', puts, gone),
      isBelieved,
    }
    const isFirst = this.#entries.size === 0 && puts.length === news.entries.size
    return isFirst ? { ...change, first: news.entries } : change
  }

  #lost(kind: 'person' | 'group', puts: CopyChange['puts'], gone: readonly string[]): number {
    const isOne = (id: string): boolean => this.#entries.get(id)?.[kind] !== undefined
    let lost = gone.filter(isOne).length
    for (const entry of puts) if (entry[kind] === undefined && isOne(entry.id)) lost++
    return lost
  }

  /**
   * Takes what was planned from a server that has come so far; the keys of whoever it concerns, or
   * `everybody` where nothing was there before.
   */
  take(
    { puts, gone, isBelieved, first }: CopyChange,
    server: CsnVector,
  ): ReadonlySet<string> | 'everybody' {
    const keys = new Set<string>()
    const note = ({ key }: CopiedEntry): void => void (key !== undefined && keys.add(key))
    const isFirst = this.#entries.size === 0
    for (const id of gone) {
      note(this.#entries.get(id)!)
      this.#forget(id)
    }
    const isTaken = isFirst && first !== undefined
    if (isTaken) this.#entries = first
    for (const entry of puts) {
      if (isFirst) {
        if (isTaken) this.#tell(entry)
        else this.#put(entry)
        continue
      }
      const { id } = entry
      const before = this.#entries.get(id)
      // Changed in what is none of our business: nobody is concerned.
      if (before === undefined || !isAlike(before, entry)) {
        if (before !== undefined) note(before)
        note(entry)
      }
      this.#forget(id)
      this.#put(entry)
    }
    this.#seen = isBelieved ? server : newerCsns(this.#seen, server)
    return isFirst ? 'everybody' : keys
  }

  #put(entry: CopiedEntry): void {
    this.#entries.set(entry.id, entry)
    this.#tell(entry)
  }

  /** Counts it among people and groups. */
  #tell(entry: CopiedEntry): void {
    const { id, key, person, group, exceptions } = entry
    if (exceptions.length > 0) this.#odd.add(id)
    this.members?.put(entry)
    if (key !== undefined && group !== undefined) this.#groups.set(key, { dn: entry.dn, group })
    if (key === undefined || person === undefined) return
    if (!this.#people.has(key)) return this.#show(key, entry, person)
    this.#doubles.add(key, id)
    this.#odd.add(id)
  }

  #forget(id: string): void {
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    this.#entries.delete(id)
    this.#odd.delete(id)
    this.members?.forget(entry)
    const { key, person, group } = entry
    if (key !== undefined && group !== undefined) this.#groups.delete(key)
    if (key === undefined || person === undefined) return
    if (this.#people.get(key)?.id !== id) return this.#doubles.delete(key, id)
    this.#people.delete(key)
    this.#keys?.delete(nameOf(person), key)
    const [next] = this.#doubles.get(key)
    if (next === undefined) return
    this.#doubles.delete(key, next)
    const following = this.#entries.get(next)!
    this.#show(key, following, following.person!)
    if (following.exceptions.length === 0) this.#odd.delete(next)
  }

  #show(key: string, entry: CopiedEntry, person: Person): void {
    this.#people.set(key, entry as Shown)
    this.#keys?.add(nameOf(person), key)
  }
}

/** A group of a source. */
export interface SourceGroup {
  readonly dn: string
  readonly group: ToldGroup
}

type Shown = CopiedEntry & SourcePerson

const nameOf = ({ username, domain }: Person): string =>
  domain === undefined ? username : `${username}@${domain}`

const isSame = (a: CopiedEntry, b: CopiedEntry): boolean =>
  a.csn === undefined || b.csn === undefined ? isAlike(a, b) : a.csn === b.csn

/** Whether they say the same, whichever change they are from. */
const isAlike = (a: CopiedEntry, b: CopiedEntry): boolean => textOf(a) === textOf(b)

const textOf = ({ dn, key, person, group, exceptions }: CopiedEntry): string =>
  JSON.stringify([dn, key, person, group, exceptions])
