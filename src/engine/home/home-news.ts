import type { SyncEvent } from '#client/ldap/synchronise.ts'
import type { EntryUuid } from '#codec/ldap/sync.ts'
import type { DirectoryKey } from '#store/directory/directory.ts'
import type { HomeEntry } from '#store/directory/home-shelf.ts'
import type { MemoryDirectory } from '#store/directory/memory-directory.ts'
import { isSameRow } from './entry-changes.ts'
import { textsOf } from './entry.ts'
import { rowOf } from './row-entry.ts'

/** Entries that are no rows: edits that are under way, and what `provision` tries servers with. */
const NO_ROWS = /^(?:edit|check):/
const EDIT = /^edit:/

/**
 * What a home says by and by, as the names of rows that may differ from those here: what lies there is
 * read again when somebody looks after them, so that nothing old is ever taken.
 */
export class HomeNews {
  readonly #directory: MemoryDirectory
  readonly #keys = new Map<EntryUuid, DirectoryKey>()
  /** Named since the refresh began: the others are gone if that is what it ends with. */
  #named = new Set<EntryUuid>()
  readonly #edits = new Set<EntryUuid>()
  readonly #dirty = new Set<DirectoryKey>()
  /** Of the names of entries, what the disk does not have; undefined: it has none of them. */
  #unsaved: Set<EntryUuid> | undefined

  /** Of rows that were looked after and not taken: whatever comes of them is looked at. */
  readonly #isNoted: (key: DirectoryKey) => boolean

  constructor(directory: MemoryDirectory, isNoted: (key: DirectoryKey) => boolean) {
    this.#directory = directory
    this.#isNoted = isNoted
  }

  /** An edit of several rows is under way, or was left in the middle. */
  get hasEdit(): boolean {
    return this.#edits.size > 0
  }

  get isEmpty(): boolean {
    return this.#dirty.size === 0
  }

  /** Names of entries as they were kept before a start. */
  restore(entries: readonly HomeEntry[]): void {
    this.#unsaved ??= new Set()
    for (const { uuid, key } of entries) {
      this.#keys.set(uuid, key)
      if (EDIT.test(key)) this.#edits.add(uuid)
    }
  }

  /** Of a whole copy, or of what has changed since one. */
  begin(isWhole: boolean): void {
    this.#named = new Set()
    if (!isWhole) return
    this.#keys.clear()
    this.#edits.clear()
    this.#unsaved = undefined
  }

  /** What is to be written of the names of entries; from now on it counts as written. More than `max` are all. */
  unsaved(max: number): {
    readonly isWhole: boolean
    readonly puts: readonly HomeEntry[]
    readonly gone: readonly EntryUuid[]
  } {
    const some = this.#unsaved
    const isWhole = some === undefined || some.size > max
    this.#unsaved = new Set()
    if (isWhole)
      return { isWhole, puts: [...this.#keys].map(([uuid, key]) => ({ uuid, key })), gone: [] }
    const puts = [...some].flatMap((uuid) => {
      const key = this.#keys.get(uuid)
      return key === undefined ? [] : [{ uuid, key }]
    })
    return { isWhole, puts, gone: [...some].filter((uuid) => !this.#keys.has(uuid)) }
  }

  forgetSaved(): void {
    this.#unsaved = undefined
  }

  /** Rows that nobody has looked after yet. */
  waiting(): readonly DirectoryKey[] {
    return [...this.#dirty]
  }

  take(event: SyncEvent): void {
    switch (event.kind) {
      case 'entry': {
        const [key = ''] = textsOf(event.entry, 'watariKey')
        const before = this.#keys.get(event.uuid)
        this.#named.add(event.uuid)
        this.#keys.set(event.uuid, key)
        if (EDIT.test(key)) this.#edits.add(event.uuid)
        if (before !== key) this.#unsaved?.add(event.uuid)
        if (before !== undefined && before !== key) this.touch(before)
        const row = this.#directory.row(key)
        const read = rowOf(event.entry)
        if (row === undefined || !read.ok || !isSameRow(row, read.value.row) || this.#isNoted(key))
          this.touch(key)
        return
      }
      case 'stays':
        for (const uuid of event.uuids) this.#named.add(uuid)
        return
      case 'gone':
        for (const uuid of event.uuids) this.#gone(uuid)
        return
      case 'restGone':
        for (const uuid of this.#keys.keys()) if (!this.#named.has(uuid)) this.#gone(uuid)
        return
      case 'cookie':
      case 'refreshed':
    }
  }

  /** Whether an entry of this row is there. */
  keys(): ReadonlySet<DirectoryKey> {
    return new Set(this.#keys.values())
  }

  touch(key: DirectoryKey): void {
    if (!NO_ROWS.test(key)) this.#dirty.add(key)
  }

  /** Some of the rows to look after; they are clean from now on. */
  next(count: number): readonly DirectoryKey[] {
    const keys = [...this.#dirty.values().take(count)]
    for (const key of keys) this.#dirty.delete(key)
    return keys
  }

  #gone(uuid: EntryUuid): void {
    const key = this.#keys.get(uuid)
    this.#keys.delete(uuid)
    this.#edits.delete(uuid)
    if (key !== undefined) this.#unsaved?.add(uuid)
    if (key !== undefined && (this.#directory.row(key) !== undefined || this.#isNoted(key)))
      this.touch(key)
  }
}
