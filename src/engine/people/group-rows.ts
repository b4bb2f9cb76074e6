import { addressKey } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { Alias } from '#model/account.ts'
import type { Directory, DirectoryChange } from '#store/directory/directory.ts'
import { ManyMap } from './many-map.ts'
import type { SourceCopy } from './source-copy.ts'
import { addressesOfGroup } from './source-groups.ts'
import { namesOf } from './told-group.ts'

/** Rows that are looked through before others have their turn. */
const AT_ONCE = 2_000

/** Whose changes: entries of sources by their keys, or everybody's. */
export type Touched = readonly (readonly [source: string, key: string])[] | 'all'

/** Which rows are groups of sources, as the directory stands: found without going through all aliases. */
export class GroupRows {
  readonly #directory: () => Directory
  /** Keys of rows by the entries that they are of, and the other way round. */
  #rows = new ManyMap()
  #entries = new Map<string, readonly string[]>()
  #isLoaded = false

  constructor(directory: () => Directory) {
    this.#directory = directory
  }

  /** Empty: everything may have changed. */
  note(changes: readonly DirectoryChange[]): void {
    if (changes.length === 0) this.#isLoaded = false
    for (const { key, row } of changes) {
      if (!key.startsWith(ALIAS)) continue
      const address = key.slice(ALIAS.length)
      for (const entry of this.#entries.get(address) ?? []) this.#rows.delete(entry, address)
      this.#entries.delete(address)
      if (row?.kind === 'alias') this.#put(row.alias)
    }
  }

  /**
   * The addresses that are to be looked at: of groups that have changed, or have lost or got a member by
   * the change of another entry. Where no source has groups, and none has had any, there are none.
   */
  async concerned(
    copies: readonly SourceCopy[],
    touched: Touched,
  ): Promise<ReadonlyMap<string, Address>> {
    if (!this.#isLoaded) await this.#load()
    const directory = this.#directory()
    const found = new Map<string, Address>()
    const look = (copy: SourceCopy, key: string): void => {
      const group = copy.groups.get(key)
      if (group !== undefined)
        for (const address of addressesOfGroup(directory, group))
          found.set(addressKey(address), address)
    }
    const lookAtRow = (address: string): void => {
      const at = address.lastIndexOf('@')
      found.set(address, { localpart: address.slice(0, at), domain: address.slice(at + 1) })
    }
    const names = new Set(copies.flatMap(({ members }) => [...(members?.touched() ?? [])]))
    if (touched === 'all') {
      for (const copy of copies) for (const key of copy.groups.keys()) look(copy, key)
      for (const address of this.#entries.keys()) lookAtRow(address)
      return found
    }
    for (const [source, key] of touched) {
      for (const address of this.#rows.get(entryOf(source, key))) lookAtRow(address)
      const copy = copies.find((each) => each.source.name === source)
      if (copy === undefined) continue
      look(copy, key)
      // Whose account has another address by a change that was made here.
      const told = copy.people.get(key)
      if (told !== undefined)
        for (const name of namesOf(told.dn, told.person.username)) names.add(name)
    }
    for (const name of names)
      for (const copy of copies)
        for (const group of copy.members?.groupsOf(name) ?? []) look(copy, group)
    return found
  }

  /** By what the groups of a source are known there, of those that are rows. */
  async keysOf(source: string): Promise<readonly string[]> {
    if (!this.#isLoaded) await this.#load()
    const keys = new Set<string>()
    for (const entries of this.#entries.values())
      for (const entry of entries)
        if (entry.startsWith(entryOf(source, ''))) keys.add(entry.slice(source.length + 1))
    return [...keys]
  }

  async #load(): Promise<void> {
    this.#rows = new ManyMap()
    this.#entries = new Map()
    this.#isLoaded = true
    let passed = 0
    for (const alias of this.#directory().aliases()) {
      this.#put(alias)
      if (++passed % AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve))
    }
  }

  #put({ from, origins }: Alias): void {
    if (origins === undefined) return
    const address = addressKey(from)
    if (this.#entries.has(address)) return
    const entries = origins.map(({ source, key }) => entryOf(source, key))
    this.#entries.set(address, entries)
    for (const entry of entries) this.#rows.add(entry, address)
  }
}

const ALIAS = 'alias:'

const entryOf = (source: string, key: string): string => `${source} ${key}`
