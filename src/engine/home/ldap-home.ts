import { failpoint } from '#base/failpoint.ts'
import { Semaphore } from '#base/deadline.ts'
import { Fault, isFault } from '#base/outcome.ts'
import { MINUTE_MS, SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { LdapConnection } from '#client/ldap/connection.ts'
import type { LdapServer } from '#client/ldap/server.ts'
import type { DirectoryEntry } from '#model/directory-entry.ts'
import type {
  DirectoryHome,
  FoundRow,
  HomeChanged,
  HomeEdit,
} from '#store/directory/directory-home.ts'
import type { ChangeAuthor } from '#store/directory/directory-log.ts'
import type { DirectoryKey, DirectoryRow } from '#store/directory/directory.ts'
import { isSameRow } from './entry-changes.ts'
import {
  authorOf,
  bindService,
  entryAt,
  requireFloor,
  markOf,
  noteOf,
  putEntry,
  putNote,
  removeEntry,
} from './line.ts'
import type { Put } from './line.ts'
import { dnOf, rowOf } from './row-entry.ts'

/** The servers that rows lie on: edits go to the provider, news come from any. */
export interface HomePlace {
  readonly provider: LdapServer
  readonly replicas: readonly LdapServer[]
  readonly base: string
  /** The service account. */
  readonly bind: { readonly dn: string; readonly passwordBase64: string }
}

/** A provider that hangs keeps a writer no longer than this. */
export const HOME_TIMES = {
  connectMs: 2 * SECOND_MS,
  answerMs: 4 * SECOND_MS,
  besideMs: 2 * SECOND_MS,
}
/** Nobody waits for a copy of all rows: a server whose disk is slow under it may take its time. */
export const COPY_TIMES = { ...HOME_TIMES, answerMs: MINUTE_MS }
/** After a failure edits are refused at once for so long: those that wait are not answered one by one. */
const AWAY_MS = 2 * SECOND_MS
/** Entries of one edit that are asked for, or written, before the first is answered. */
const AT_ONCE = 32
/** Below what Debian's slapd takes in one message. */
const NOTE_BYTES_MAX = 3 * 1024 * 1024
/** What an edit of several rows is noted down as while it is under way. */
const EDIT_KEY = 'edit:now'

/**
 * Rows on OpenLDAP servers. One row is one entry and one change of it, made only where the entry is as it
 * was read. Several rows are noted down first, all in one entry, then written, then the note goes: who
 * finds a note finishes it, so that an edit is never half there for good. One writer at a time.
 */
export class LdapHome implements DirectoryHome {
  readonly place: HomePlace
  readonly #clock: Clock
  #line: LdapConnection | undefined
  #awayUntilMs = 0
  /** What kept the provider from taking edits; undefined while it does. */
  #trouble: string | undefined
  /** A note may lie there: at the start, and when an edit has ended in the middle. */
  #mayBeHalf = true

  constructor(place: HomePlace, clock: Clock) {
    this.place = place
    this.#clock = clock
  }

  /** The newest change that the log has: a provider that does not get there is not asked to change anything. */
  #floor = ''

  get floor(): string {
    return this.#floor
  }

  /** A change that was taken from there, or written there. */
  knows(mark: string | undefined): void {
    if (mark !== undefined && mark > this.#floor) this.#floor = mark
  }

  /** What the provider has counts, though it had come further before. */
  believe(floor: string): void {
    this.#floor = floor
  }

  /** When it has last taken an edit of ours. */
  get wroteAtMs(): number | undefined {
    return this.#wroteAtMs
  }
  #wroteAtMs: number | undefined

  get trouble(): string | undefined {
    return this.#trouble
  }

  isSame(a: DirectoryRow, b: DirectoryRow): boolean {
    return isSameRow(a, b)
  }

  write(
    write: Parameters<DirectoryHome['write']>[0],
  ): Promise<{ readonly kind: 'written'; readonly mark?: string } | HomeChanged> {
    return this.#ask(async (connection) => {
      if (this.#mayBeHalf) await this.#finish(connection)
      const { base } = this.place
      const there = await all(write.edits, ({ key }) => entryAt(connection, dnOf(key, base)))
      const found = write.edits.flatMap((edit, at) =>
        write.over.has(edit.key) ? [] : this.#differing(edit, there[at]),
      )
      if (found.length > 0) return { kind: 'changed', found }
      const puts = write.edits.map(({ key, row }) => ({ key, row, by: write.by, atMs: write.atMs }))
      const [only] = puts
      if (puts.length === 1 && only !== undefined) {
        const parts = { put: only, there: there[0], isGuarded: true }
        const done = await putEntry(connection, base, parts)
        if (done.kind === 'written') return this.#marked(done)
        return { kind: 'changed', found: await this.#read(connection, [only.key]) }
      }
      return this.#writeSeveral(connection, puts, there)
    })
  }

  async put(put: {
    readonly key: DirectoryKey
    readonly row: DirectoryRow
    readonly atMs: number
  }): Promise<void> {
    const { base } = this.place
    try {
      await this.#ask(async (connection) => {
        const there = await entryAt(connection, dnOf(put.key, base))
        const by = { who: 'watari', from: 'LDAP' }
        await putEntry(connection, base, { put: { ...put, by }, there, isGuarded: true })
      })
    } catch (thrown) {
      // It is found as something that differs once more, and put then.
      if (!isFault(thrown)) throw thrown
    }
  }

  /** What else is done on the provider, in turn with edits and refused as they are. */
  with<T>(work: (connection: LdapConnection) => Promise<T>): Promise<T> {
    return this.#ask(work)
  }

  /** Ends an edit of several rows that a stop or a cut has left in the middle. */
  finish(): Promise<void> {
    return this.#ask((connection) => this.#finish(connection))
  }

  close(): void {
    this.#line?.close()
    this.#line = undefined
  }

  async #writeSeveral(
    connection: LdapConnection,
    puts: readonly Put[],
    there: readonly (DirectoryEntry | undefined)[],
  ): Promise<{ readonly kind: 'written'; readonly mark?: string }> {
    const json = JSON.stringify(puts)
    if (Buffer.byteLength(json) > NOTE_BYTES_MAX)
      throw new Fault('limit', `${puts.length} rows at once are more than the LDAP server takes`)
    this.#mayBeHalf = true
    await putNote(connection, this.#noteDn, { key: EDIT_KEY, json })
    failpoint('home.noted')
    const marks: string[] = []
    // Removals last: what lies below an entry that is gone does not come back with it.
    const order = [...puts.filter(({ row }) => row !== null), ...puts.filter(({ row }) => !row)]
    try {
      // The first alone: what the server cannot hold at all is told before the others are there.
      for (const part of [order.slice(0, 1), order.slice(1)])
        await all(part, async (put) => {
          const done = await this.#settle(connection, put, there[puts.indexOf(put)])
          failpoint('home.row')
          if (done !== undefined) marks.push(done)
        })
    } catch (thrown) {
      if (isFault(thrown, 'invalid')) await this.#undo(connection, puts, there)
      throw thrown
    }
    await removeEntry(connection, this.#noteDn)
    this.#mayBeHalf = false
    const mark = marks.toSorted().at(-1)
    return this.#marked({ kind: 'written' as const, ...(mark !== undefined && { mark }) })
  }

  #marked<T extends { readonly mark?: string }>(done: T): T {
    this.knows(done.mark)
    this.#wroteAtMs = this.#clock.nowMs()
    return done
  }

  /** Whatever others do to an entry meanwhile, it has in the end what is ours to say of it. */
  async #settle(
    connection: LdapConnection,
    put: Put,
    read: DirectoryEntry | undefined,
  ): Promise<string | undefined> {
    const { base } = this.place
    let there = read
    for (let turn = 0; turn < SETTLE_TURNS_MAX; turn++) {
      const done = await putEntry(connection, base, { put, there, isGuarded: true })
      if (done.kind === 'written') return done.mark
      there = await entryAt(connection, dnOf(put.key, base))
    }
    throw new Fault('unavailable', `${put.key} is changed by others again and again`)
  }

  /** An entry that the server refuses takes its whole edit back. */
  async #undo(
    connection: LdapConnection,
    puts: readonly Put[],
    before: readonly (DirectoryEntry | undefined)[],
  ): Promise<void> {
    await all(puts, async (put, at) => {
      const entry = before[at]
      const read = entry === undefined ? undefined : rowOf(entry)
      if (read?.ok === false) return
      const row = read === undefined ? null : read.value.row
      const there = await entryAt(connection, dnOf(put.key, this.place.base))
      await this.#settle(connection, { ...put, row }, there)
    })
    await removeEntry(connection, this.#noteDn)
    this.#mayBeHalf = false
  }

  async #finish(connection: LdapConnection): Promise<void> {
    const note = await entryAt(connection, this.#noteDn)
    if (note !== undefined) {
      const puts = JSON.parse(noteOf(note)) as readonly Put[]
      await all(puts, async (put) => {
        const there = await entryAt(connection, dnOf(put.key, this.place.base))
        await this.#settle(connection, put, there)
      })
      await removeEntry(connection, this.#noteDn)
    }
    this.#mayBeHalf = false
  }

  get #noteDn(): string {
    return `watariKey=${EDIT_KEY},${this.place.base}`
  }

  /** What lies there, where it is not what the edit was made from. What cannot be read is mended by it. */
  #differing(edit: HomeEdit, there: DirectoryEntry | undefined): FoundRow[] {
    if (there === undefined)
      return edit.before === null || edit.row === null ? [] : [GONE(edit.key)]
    const read = rowOf(there)
    if (!read.ok) return []
    if (edit.before !== null && isSameRow(read.value.row, edit.before)) return []
    // As an edit that was written, and whose answer was lost: nothing is left to do.
    if (edit.row !== null && isSameRow(read.value.row, edit.row)) return []
    return [foundRow(there, read.value, this.place)]
  }

  /** What of these can be understood. */
  async #read(connection: LdapConnection, keys: readonly DirectoryKey[]): Promise<FoundRow[]> {
    const there = await all(keys, (key) => entryAt(connection, dnOf(key, this.place.base)))
    return keys.flatMap((key, at) => {
      const entry = there[at]
      if (entry === undefined) return [GONE(key)]
      const read = rowOf(entry)
      return read.ok ? [foundRow(entry, read.value, this.place)] : []
    })
  }

  readonly #oneByOne = new Semaphore(1)

  #ask<T>(work: (connection: LdapConnection) => Promise<T>): Promise<T> {
    return this.#oneByOne.run(async () => {
      if (this.#clock.monotonicMs() < this.#awayUntilMs) throw this.#away(this.#trouble ?? '')
      try {
        const done = await this.#tried(work)
        this.#trouble = undefined
        return done
      } catch (thrown) {
        if (!isFault(thrown) || thrown.code === 'invalid' || thrown.code === 'limit') throw thrown
        this.close() // nobody knows what may still come on it
        this.#trouble = thrown.message
        this.#awayUntilMs = this.#clock.monotonicMs() + AWAY_MS
        throw this.#away(thrown.message, thrown)
      }
    })
  }

  /** A connection that died while it was idle says so only when it is used; what was done is found done. */
  async #tried<T>(work: (connection: LdapConnection) => Promise<T>): Promise<T> {
    const kept = this.#line?.isOpen === true
    try {
      return await work(await this.#connection())
    } catch (thrown) {
      if (!kept || !isFault(thrown, 'closed')) throw thrown
      this.close()
      return work(await this.#connection())
    }
  }

  #away(why: string, cause?: Fault): Fault {
    return new Fault('unavailable', `the LDAP provider takes no edits now: ${why}`, { cause })
  }

  async #connection(): Promise<LdapConnection> {
    if (this.#line?.isOpen === true) return this.#line
    const parts = { clock: this.#clock, times: HOME_TIMES }
    const connection = await LdapConnection.open(this.place.provider, parts)
    await bindService(connection, this.place.bind)
    await requireFloor(connection, this.place.base, this.#floor)
    this.#line = connection
    return connection
  }
}

const SETTLE_TURNS_MAX = 10
const GONE = (key: DirectoryKey): FoundRow => ({ key, row: null, by: UNKNOWN })
/** An entry that is gone says nothing of who took it. */
const UNKNOWN: ChangeAuthor = { who: 'unknown', from: 'LDAP' }

/** A row of an entry with who has changed it last. */
export function foundRow(
  entry: DirectoryEntry,
  { key, row }: { readonly key: DirectoryKey; readonly row: DirectoryRow },
  { bind }: HomePlace,
): FoundRow {
  const mark = markOf(entry)
  return { key, row, by: authorOf(entry, bind.dn), ...(mark !== undefined && { mark }) }
}

/** Some at once, answers in their order. */
export async function all<T, R>(
  items: readonly T[],
  work: (item: T, at: number) => Promise<R>,
): Promise<R[]> {
  const done: R[] = []
  for (let at = 0; at < items.length; at += AT_ONCE)
    done.push(
      ...(await Promise.all(
        items.slice(at, at + AT_ONCE).map((item, offset) => work(item, at + offset)),
      )),
    )
  return done
}
