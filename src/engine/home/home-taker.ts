import { messageOf } from '#base/outcome.ts'
import type { Log } from '#base/log.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { LdapConnection } from '#client/ldap/connection.ts'
import { ShrinkGuard } from '#engine/people/shrink-guard.ts'
import type { DirectoryEntry } from '#model/directory-entry.ts'
import type { FoundRow } from '#store/directory/directory-home.ts'
import type { DirectoryMaster } from '#store/directory/directory-master.ts'
import type { DirectoryKey } from '#store/directory/directory.ts'
import { hashedPassword } from './clear-passwords.ts'
import { HomeNews } from './home-news.ts'
import { all, foundRow } from './ldap-home.ts'
import type { LdapHome } from './ldap-home.ts'
import { entryAt } from './line.ts'
import { dnOf, rowOf } from './row-entry.ts'

const AGAIN_MS = SECOND_MS
/** Rows looked after in one turn: whoever else changes the directory comes in between. */
const ROWS_AT_ONCE = 200

/** A row of the home that is not taken, and why. */
export interface HomeNote {
  readonly key: DirectoryKey
  readonly text: string
}

/** Whom rows are read from. */
export interface HomeReader {
  readonly connection: LdapConnection
  readonly isProvider: boolean
}

/**
 * Takes into the log what a home tells: a row that is named is read again within the writer's turn, so that
 * nothing old undoes anything newer. What breaks a rule is noted; removals that are too many are held.
 */
export class HomeTaker {
  readonly news: HomeNews
  /** Undefined: nobody can be asked now, and what is told waits. */
  reader: HomeReader | undefined
  /** When something that others have made there was last looked after. */
  newsAtMs: number | undefined
  readonly #parts: ConstructorParameters<typeof HomeTaker>[0]
  readonly #notes = new Map<DirectoryKey, string>()
  readonly #held = new Set<DirectoryKey>()
  readonly #guard: ShrinkGuard
  #isAccepted = false
  #isLooking = false
  #taking: Promise<void> = Promise.resolve()

  constructor(parts: {
    readonly directory: DirectoryMaster
    readonly home: LdapHome
    readonly clock: Clock
    readonly trouble: Log
    readonly scramIterations: () => number | undefined
    /** Called when nothing is left to take. */
    readonly settled: () => void
  }) {
    this.#parts = parts
    this.#guard = new ShrinkGuard(parts.clock, 'rows')
    this.news = new HomeNews(
      parts.directory.directory,
      (key) => this.#notes.has(key) || this.#held.has(key),
    )
  }

  get isHolding(): boolean {
    return this.#held.size > 0
  }

  notes(): readonly HomeNote[] {
    return [
      ...[...this.#notes].map(([key, text]) => ({ key, text })),
      ...[...this.#held].map((key) => ({ key, text: 'removed there, and held here' })),
    ]
  }

  /** Rows that were told and are not taken, for whatever reason; undefined while some are looked after. */
  waiting(): readonly DirectoryKey[] | undefined {
    if (this.#isLooking) return undefined
    return [...new Set([...this.#notes.keys(), ...this.#held, ...this.news.waiting()])]
  }

  /** Takes removals that were held. */
  async accept(): Promise<void> {
    this.#guard.reset()
    const held = [...this.#held]
    this.#held.clear()
    for (const key of held) this.news.touch(key)
    this.#isAccepted = true
    this.look()
    await this.#taking
    this.#isAccepted = false
  }

  /** Nothing is looked after any more until somebody looks again. Never rejects. */
  idle(): Promise<void> {
    return this.#taking
  }

  /** Looks after what is told, one turn after another. */
  look(): void {
    if (this.#isLooking) return
    this.#isLooking = true
    this.#taking = this.#takeAll().then((isDone) => {
      this.#isLooking = false
      if (!isDone) return
      if (this.news.isEmpty) this.#parts.settled()
      else this.look()
    })
  }

  /** False where what is left has to wait. Never rejects. */
  async #takeAll(): Promise<boolean> {
    const { directory, home, trouble, clock } = this.#parts
    const refusedBefore = new Map(this.#notes)
    let hasTaken = false
    while (!this.news.isEmpty) {
      const { reader } = this
      if (reader === undefined || (!reader.isProvider && this.news.hasEdit)) return false
      const keys = this.news.next(ROWS_AT_ONCE)
      try {
        const refused = await directory.takeFound(async () => {
          if (reader.isProvider && this.news.hasEdit) await home.finish()
          return this.#found(reader.connection, keys)
        })
        for (const { key, message } of refused) this.#notes.set(key, message)
        hasTaken ||= refused.length < keys.length
      } catch (thrown) {
        // The disk, or the server: what is not looked after stays to be.
        for (const key of keys) this.news.touch(key)
        trouble.warn('directory.homeNotTaken', { error: messageOf(thrown) })
        clock.after(AGAIN_MS, () => this.look())
        return false
      }
      // What was refused may stand on what has come since.
      if (this.news.isEmpty && hasTaken) {
        hasTaken = false
        for (const key of refusedBefore.keys()) this.news.touch(key)
        refusedBefore.clear()
      }
    }
    return true
  }

  async #found(connection: LdapConnection, keys: readonly DirectoryKey[]): Promise<FoundRow[]> {
    const { base } = this.#parts.home.place
    const entries = await all(keys, (key) => entryAt(connection, dnOf(key, base)))
    const found: FoundRow[] = []
    for (const [at, key] of keys.entries()) {
      this.#notes.delete(key)
      const one = await this.#foundAt(key, entries[at])
      if (typeof one === 'string' || one?.by.from === 'LDAP')
        this.newsAtMs = this.#parts.clock.nowMs()
      if (typeof one === 'string') this.#notes.set(key, one)
      else if (one !== undefined) found.push(one)
    }
    return found
  }

  /** Undefined: not now; a text: why it cannot be taken. */
  async #foundAt(
    key: DirectoryKey,
    entry: DirectoryEntry | undefined,
  ): Promise<FoundRow | string | undefined> {
    const { directory, home, scramIterations } = this.#parts
    const here = directory.directory.row(key)
    this.#held.delete(key)
    if (entry === undefined) {
      if (here === undefined) return undefined
      if (this.#mayRemove()) return { key, row: null, by: { who: 'unknown', from: 'LDAP' } }
      this.#held.add(key)
      return undefined
    }
    const read = rowOf(entry)
    if (!read.ok) return read.error
    const found = foundRow(entry, read.value, home.place)
    home.knows(found.mark)
    return hashedPassword(found, { entry, here, iterations: scramIterations() })
  }

  #mayRemove(): boolean {
    const { directory, trouble } = this.#parts
    if (this.#isAccepted) return true
    const error = this.#guard.refusal(1, directory.directory.size)
    if (error === undefined) return true
    if (this.#held.size === 0) trouble.error('directory.homeShrank', { error })
    return false
  }
}
