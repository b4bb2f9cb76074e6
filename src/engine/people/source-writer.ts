import { timedId } from '#base/id.ts'
import type { Log } from '#base/log.ts'
import { messageOf, ok } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { Address } from '#model/address.ts'
import type { DirectoryEdit } from '#store/directory/check-edits.ts'
import type { DirectoryChange } from '#store/directory/directory.ts'
import type { DirectoryMaster } from '#store/directory/directory-master.ts'
import { rowKey } from '#store/directory/row-key.ts'
import { gather, gatherSome } from './gather.ts'
import type { Gathered } from './gather.ts'
import { GroupRows } from './group-rows.ts'
import type { Touched } from './group-rows.ts'
import type { SourceCopy } from './source-copy.ts'
import { planGroups } from './source-groups.ts'
import { planSources } from './sources.ts'
import type { SourceNote } from './sources.ts'

/** Accounts or groups of one write: whoever else changes the directory comes in between. */
const ROWS_AT_ONCE = 500
/** People with something that is not taken, that are looked at one by one. */
const NOTED_MAX = 500

/** A source whose copy counts, with what of it is not taken, by the key of whom it is about. */
export interface WrittenSource {
  readonly copy: SourceCopy
  readonly notes: Map<string, SourceNote[]>
}

/** Makes the rows of people and groups what the copies of their sources say, one change after another. */
export class SourceWriter {
  readonly #directory: DirectoryMaster
  readonly #clock: Clock
  readonly #log: Log
  readonly #sources: () => readonly WrittenSource[]
  readonly #failed: () => void
  readonly #groupRows: GroupRows
  /** Rows that are being written here. */
  readonly #writing = new Set<string>()
  #applying: Promise<void> = Promise.resolve()

  constructor(parts: {
    readonly directory: DirectoryMaster
    readonly clock: Clock
    readonly log: Log
    readonly sources: () => readonly WrittenSource[]
    /** Called where something could not be written: everybody is to be looked at again. */
    readonly failed: () => void
  }) {
    this.#directory = parts.directory
    this.#clock = parts.clock
    this.#log = parts.log
    this.#sources = parts.sources
    this.#failed = parts.failed
    this.#groupRows = new GroupRows(() => parts.directory.directory)
  }

  /** Those of the changes that others have made. */
  note(changes: readonly DirectoryChange[]): readonly DirectoryChange[] {
    this.#groupRows.note(changes)
    return changes.filter(({ key }) => !this.#writing.has(key))
  }

  /** By what the groups of a source are known there, of those that are rows. */
  groupKeys(source: string): Promise<readonly string[]> {
    return this.#groupRows.keysOf(source)
  }

  /** Of whom something is not taken; where they are many, it is no matter of one more change. */
  noted(): Exclude<Touched, 'all'> {
    const noted = this.#sources().flatMap(({ copy, notes }) =>
      [...notes.keys()].map((key) => [copy.source.name, key] as const),
    )
    return noted.length > NOTED_MAX ? [] : noted
  }

  /** One after another; never rejects. */
  apply(touched: Touched): Promise<void> {
    if (touched.length === 0) return this.#applying
    return (this.#applying = this.#applying.then(() => this.#applied(touched)))
  }

  async #applied(touched: Touched): Promise<void> {
    try {
      const copies = this.#sources().map(({ copy }) => copy)
      if (copies.length === 0) return
      const { directory } = this.#directory
      const { seq } = directory
      const people =
        touched === 'all' ? gather(directory, copies) : gatherSome(directory, copies, touched)
      if (touched === 'all') for (const { notes } of this.#sources()) notes.clear()
      else for (const [name, key] of touched) this.#notes(name)?.delete(key)
      for (let at = 0; at < people.length; at += ROWS_AT_ONCE) {
        await this.#write(people.slice(at, at + ROWS_AT_ONCE))
        await turn()
      }
      // Who gets a name that somebody else has had is refused until that one is written.
      const noted = directory.seq === seq ? [] : this.noted()
      await this.#write(gatherSome(directory, copies, noted))
      await this.#groups(copies, touched === 'all' ? touched : [...touched, ...noted])
    } catch (thrown) {
      // A disk that takes nothing just now: everybody is looked at again.
      this.#log.error('directory.sourcesNotTaken', { error: messageOf(thrown) })
      this.#failed()
    }
  }

  #notes(name: string): Map<string, SourceNote[]> | undefined {
    return this.#sources().find(({ copy }) => copy.source.name === name)?.notes
  }

  /** Behind people, whom they lead to. */
  async #groups(copies: readonly SourceCopy[], touched: Touched): Promise<void> {
    const concerned = await this.#groupRows.concerned(copies, touched)
    const addresses = [...concerned.values()]
    for (let at = 0; at < addresses.length; at += ROWS_AT_ONCE) {
      await this.#writeGroups(copies, addresses.slice(at, at + ROWS_AT_ONCE))
      await turn()
    }
  }

  async #writeGroups(copies: readonly SourceCopy[], addresses: readonly Address[]): Promise<void> {
    const { directory } = this.#directory
    this.#tell(await this.#edit(() => planGroups(directory, copies, addresses)))
  }

  async #write(people: readonly Gathered[]): Promise<void> {
    const newId = (): AccountId => timedId(this.#clock.nowMs()) as AccountId
    const { notes } = await this.#edit(() => planSources(this.#directory.directory, people, newId))
    const looked = people.flatMap(({ shares }) =>
      shares.map(({ source, key }) => ({ source: source.name, key })),
    )
    this.#tell({ notes, looked })
  }

  /** Writes what is planned, planned anew when it is this write's turn: what others wrote meanwhile counts. */
  async #edit<T extends { readonly edits: readonly DirectoryEdit[] }>(plan: () => T): Promise<T> {
    let planned = plan()
    if (planned.edits.length === 0) return planned
    const done = await this.#directory.update(() => {
      planned = plan()
      for (const edit of planned.edits)
        this.#writing.add(edit.kind === 'put' ? rowKey(edit.row) : edit.key)
      return ok(planned.edits)
    }, BY)
    this.#writing.clear()
    if (!done.ok) this.#log.error('directory.sourcesRefused', { error: done.error.message })
    return planned
  }

  #tell({
    notes,
    looked,
  }: {
    readonly notes: readonly SourceNote[]
    readonly looked: readonly Pick<SourceNote, 'source' | 'key'>[]
  }): void {
    for (const { source, key } of looked) this.#notes(source)?.delete(key)
    for (const note of notes) {
      const known = this.#notes(note.source)
      known?.set(note.key, [...(known.get(note.key) ?? []), note])
    }
  }
}

/** Whoever waits for the loop comes in between. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const BY = { who: 'watari', from: 'directory sources' } as const
