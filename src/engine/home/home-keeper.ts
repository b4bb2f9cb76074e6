import { HOUR_MS, SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { Log } from '#base/log.ts'
import { Fault, isFault, messageOf } from '#base/outcome.ts'
import type { Octets } from '#base/octets.ts'
import { LdapConnection } from '#client/ldap/connection.ts'
import { serverName } from '#client/ldap/server.ts'
import type { LdapServer } from '#client/ldap/server.ts'
import { synchronise } from '#client/ldap/synchronise.ts'
import type { DirectoryEntry } from '#model/directory-entry.ts'
import type { FoundRow } from '#store/directory/directory-home.ts'
import type { ChangeAuthor, DirectoryLog, HomeShelf } from '#store/directory/directory-log.ts'
import type { DirectoryMaster } from '#store/directory/directory-master.ts'
import type { DirectoryKey } from '#store/directory/directory.ts'
import { readRows } from '#store/directory/rows-text.ts'
import { rowKey } from '#store/directory/row-key.ts'
import { copyRows } from './copy-rows.ts'
import { HomeNews } from './home-news.ts'
import { HOME_TIMES, LdapHome, all, foundRow } from './ldap-home.ts'
import type { HomePlace } from './ldap-home.ts'
import { ROWS_ASK, bindService, entryAt } from './line.ts'
import { contextCsn } from './provision.ts'
import { hashedPassword } from './clear-passwords.ts'
import { dnOf, rowOf } from './row-entry.ts'

const AGAIN_MS = SECOND_MS
/** While a replica is followed the provider is tried so often. */
const PROVIDER_MS = 5 * SECOND_MS
/** Rows looked after in one turn: whoever else changes the directory comes in between. */
const ROWS_AT_ONCE = 200
/** More than this share of all rows removed by others within an hour is held. */
const SHRINK_MAX = 0.2
const SHRINK_MIN = 10
const PAGE_ROWS = 2_000

/** Where the rows have their home, and how that is. */
export type HomeState =
  | { readonly kind: 'embedded'; readonly error?: string }
  | {
      readonly kind: 'ldap'
      readonly place: HomePlace
      readonly by: ChangeAuthor
      readonly atMs: number
      /** `copying`: rows are on their way there, and the home is still here. */
      readonly state: 'copying' | 'starting' | 'well' | 'replica' | 'away' | 'held'
      readonly copied?: number
      readonly error?: string
      /** Whom news come from. */
      readonly follows?: string
      readonly notes: readonly { readonly key: DirectoryKey; readonly text: string }[]
    }

interface Kept {
  readonly place: HomePlace
  readonly by: ChangeAuthor
  readonly atMs: number
}

interface Parts {
  readonly directory: DirectoryMaster
  readonly log: Pick<DirectoryLog, 'rows'> & HomeShelf
  readonly clock: Clock
  readonly trouble: Log
  /** How many rounds keys of SCRAM are made with; undefined: none are made. */
  readonly scramIterations: () => number | undefined
}

/**
 * Keeps the rows at home on LDAP servers, where that is set: edits go there first, and what others change
 * there becomes edits here. While the provider is away nothing can be changed, and everything else goes on.
 */
export class HomeKeeper {
  readonly #parts: Parts
  #set: Kept | undefined
  #home: LdapHome | undefined
  #news: HomeNews
  #state: 'copying' | 'starting' | 'well' | 'replica' | 'away' = 'starting'
  #copied = 0
  #error: string | undefined
  #follows: string | undefined
  readonly #notes = new Map<DirectoryKey, string>()
  /** Removals by others that were taken, by when; those that are too many wait. */
  #removals: number[] = []
  readonly #held = new Set<DirectoryKey>()
  /** The newest change there that is known to have been taken. */
  #mark = ''
  readonly #cookies = new Map<string, Octets>()
  #round: Promise<void> = Promise.resolve()
  #taking: Promise<void> = Promise.resolve()
  #stop: (() => void) | undefined

  constructor(parts: Parts) {
    this.#parts = parts
    this.#news = this.#noNews()
  }

  #noNews(): HomeNews {
    return new HomeNews(
      this.#parts.directory.directory,
      (key) => this.#notes.has(key) || this.#held.has(key),
    )
  }

  /** Begins with what is set; before the first write. */
  async start(): Promise<void> {
    const kept = await this.#parts.log.home()
    if (kept === undefined) return
    this.#mark = kept.mark ?? ''
    this.#begin(JSON.parse(kept.json) as Kept)
  }

  state(): HomeState {
    if (this.#set === undefined)
      return { kind: 'embedded', ...(this.#error !== undefined && { error: this.#error }) }
    const error = this.#home?.trouble ?? this.#error
    return {
      kind: 'ldap',
      ...this.#set,
      state: this.#held.size > 0 ? 'held' : this.#state,
      ...(this.#state === 'copying' && { copied: this.#copied }),
      ...(error !== undefined && { error }),
      ...(this.#follows !== undefined && { follows: this.#follows }),
      notes: [
        ...[...this.#notes].map(([key, text]) => ({ key, text })),
        ...[...this.#held].map((key) => ({ key, text: 'removed there, and held here' })),
      ],
    }
  }

  /**
   * Copies all rows there, compares, and makes it their home. Throws a Fault where it cannot begin; the
   * rest goes on behind, and `state` tells how. Entries that are nobody's here become rows with `adopt`.
   */
  async move(
    place: HomePlace,
    by: ChangeAuthor,
    { adopt }: { readonly adopt: boolean },
  ): Promise<void> {
    if (this.#set !== undefined)
      throw new Fault('conflict', 'the directory has its home on LDAP servers already')
    const connection = await LdapConnection.open(place.provider, {
      clock: this.#parts.clock,
      times: HOME_TIMES,
    })
    try {
      await bindService(connection, place.bind)
      if ((await entryAt(connection, place.base)) === undefined)
        throw new Fault('notFound', `${serverName(place.provider)} has no ${place.base}`)
      const { strangers } = await this.#copy(connection, place, undefined)
      if (strangers.length > 0 && !adopt)
        throw new Fault(
          'conflict',
          `${strangers.length} entries there are of nobody here, ${strangers[0]} among them`,
        )
    } catch (thrown) {
      connection.close()
      throw thrown
    }
    this.#set = { place, by, atMs: this.#parts.clock.nowMs() }
    this.#state = 'copying'
    this.#error = undefined
    this.#stop = () => connection.close()
    this.#round = this.#moved(connection, this.#set)
  }

  /** The log is the home again: it has everything. What others have changed there and was not taken is lost. */
  async back(): Promise<void> {
    if (this.#set === undefined || this.#state === 'copying') return
    await this.#end()
    await this.#parts.directory.alone(async () => {
      await this.#parts.log.setHome(undefined)
      this.#parts.directory.useHome(undefined)
    })
    this.#set = undefined
  }

  /** Takes removals that were held. */
  async accept(): Promise<void> {
    this.#removals = []
    const held = [...this.#held]
    this.#held.clear()
    for (const key of held) this.#news.touch(key)
    this.#isAccepted = true
    this.#look()
    await this.#taking
    this.#isAccepted = false
  }
  #isAccepted = false

  async close(): Promise<void> {
    await this.#end()
  }

  async #end(): Promise<void> {
    this.#isEnding = true
    this.#stop?.()
    await this.#round
    await this.#taking
    this.#home?.close()
    this.#home = undefined
    this.#isEnding = false
  }
  #isEnding = false

  #begin(set: Kept): void {
    this.#set = set
    this.#home = new LdapHome(set.place, this.#parts.clock)
    this.#news = this.#noNews()
    this.#notes.clear()
    this.#held.clear()
    this.#cookies.clear()
    this.#state = 'starting'
    this.#parts.directory.useHome(this.#home)
    this.#round = this.#followOn(set.place)
  }

  /** Never rejects. */
  async #moved(connection: LdapConnection, set: Kept): Promise<void> {
    const { directory, log, trouble } = this.#parts
    try {
      await this.#copy(connection, set.place, set.by)
      await directory.alone(async () => {
        await this.#copy(connection, set.place, set.by) // what was changed meanwhile
        const { differing } = await this.#copy(connection, set.place, undefined)
        if (differing > 0)
          throw new Fault('corrupt', `${differing} rows are not there as they were written`)
        await log.setHome({ json: JSON.stringify(set) })
        this.#mark = ''
        this.#begin(set)
      })
    } catch (thrown) {
      trouble.error('directory.homeNotMoved', { error: messageOf(thrown) })
      this.#set = undefined
      this.#error = messageOf(thrown)
    } finally {
      connection.close()
    }
  }

  #copy(connection: LdapConnection, { base }: HomePlace, by: ChangeAuthor | undefined) {
    const { directory, log, clock } = this.#parts
    this.#copied = 0
    return copyRows(connection, {
      base,
      directory: directory.directory,
      log,
      ...(by !== undefined && { by }),
      atMs: clock.nowMs(),
      onRow: () => void this.#copied++,
    })
  }

  /** Follows the provider, or a replica while that is away, until it is ended. Never rejects. */
  async #followOn(place: HomePlace): Promise<void> {
    const { clock, trouble } = this.#parts
    while (!this.#isEnding) {
      let error: string | undefined
      for (const server of [place.provider, ...place.replicas]) {
        if (this.#isEnding) return
        try {
          await this.#follow(place, server)
          error = undefined
        } catch (thrown) {
          if (!isFault(thrown)) trouble.error('directory.homeFailed', { error: messageOf(thrown) })
          error ??= messageOf(thrown)
          this.#error = error
          continue
        }
        break
      }
      this.#follows = undefined
      if (this.#isEnding) return
      if (error === undefined) continue
      if (this.#state !== 'away') trouble.warn('directory.homeAway', { error })
      this.#state = 'away'
      await new Promise<void>((resolve) => {
        const cancel = clock.after(AGAIN_MS, resolve)
        this.#stop = () => {
          cancel()
          resolve()
        }
      })
    }
  }

  /** Until the connection ends; from a replica for a while only. Throws a Fault where it never began. */
  async #follow(place: HomePlace, server: LdapServer): Promise<void> {
    const { clock, directory } = this.#parts
    const isProvider = server === place.provider
    const parts = { clock, times: HOME_TIMES }
    const connection = await LdapConnection.open(server, parts)
    let reader: LdapConnection | undefined
    let cancel: (() => void) | undefined
    try {
      await bindService(connection, place.bind)
      reader = await LdapConnection.open(server, parts)
      await bindService(reader, place.bind)
      if (isProvider) await directory.alone(async () => this.#home?.finish())
      else await this.#checkReplica(reader, place)
      const name = serverName(server)
      const cookie = this.#cookies.get(name)
      this.#news.begin(cookie === undefined)
      this.#stop = () => connection.close()
      if (this.#isEnding) return
      if (!isProvider) cancel = clock.after(PROVIDER_MS, () => connection.close())
      const options = { persist: true, ...(cookie !== undefined && { cookie }) }
      // One that is worth nothing to it any more, as to a server that was restored: begun without next time.
      this.#cookies.delete(name)
      let isWhole = false
      let last = cookie
      for await (const event of synchronise(connection, ROWS_ASK(place.base), options)) {
        this.#news.take(event)
        if (event.kind === 'cookie') last = event.cookie
        if (event.kind === 'refreshed') {
          isWhole = true
          if (cookie === undefined) await this.#touchAbsent()
          this.#state = isProvider ? 'well' : 'replica'
          if (isProvider) this.#error = undefined
          this.#follows = name
          this.#reader = { connection: reader, isProvider }
        }
        if (!isWhole) continue
        if (last !== undefined) this.#cookies.set(name, last)
        this.#look()
      }
    } catch (thrown) {
      // What was followed and has ended is begun again at once.
      if (this.#reader?.connection !== reader) throw thrown
    } finally {
      cancel?.()
      this.#reader = undefined
      connection.close()
      await this.#taking
      reader?.close()
    }
  }
  #reader: { readonly connection: LdapConnection; readonly isProvider: boolean } | undefined

  /** A replica that does not have yet what was taken from the provider would undo it. */
  async #checkReplica(reader: LdapConnection, { base }: HomePlace): Promise<void> {
    const csn = (await contextCsn(reader, base)) ?? ''
    if (csn >= this.#mark && csn >= (this.#home?.mark ?? '')) return
    throw new Fault('unavailable', `${serverName(reader.server)} is behind what was taken already`)
  }

  /** Rows here that have no entry there. */
  async #touchAbsent(): Promise<void> {
    const there = this.#news.keys()
    for (let after: number | undefined = 0; after !== undefined;) {
      const page = await this.#parts.log.rows({ after, limit: PAGE_ROWS })
      for (const { row } of readRows(page))
        if (!there.has(rowKey(row))) this.#news.touch(rowKey(row))
      after = page.next
    }
  }

  /** Looks after what is told, one turn after another. */
  #look(): void {
    if (this.#isLooking) return
    this.#isLooking = true
    this.#taking = this.#takeAll().then((isDone) => {
      this.#isLooking = false
      if (isDone && !this.#news.isEmpty) this.#look()
    })
  }
  #isLooking = false

  /** False where what is left has to wait. Never rejects. */
  async #takeAll(): Promise<boolean> {
    const { directory, trouble, clock } = this.#parts
    const refusedBefore = new Map(this.#notes)
    let hasTaken = false
    while (!this.#news.isEmpty) {
      const reader = this.#reader
      if (reader === undefined || (!reader.isProvider && this.#news.hasEdit)) return false
      const keys = this.#news.next(ROWS_AT_ONCE)
      try {
        const refused = await directory.takeFound(async () => {
          if (reader.isProvider && this.#news.hasEdit) await this.#home?.finish()
          return this.#found(reader.connection, keys)
        })
        for (const { key, message } of refused) this.#notes.set(key, message)
        hasTaken ||= refused.length < keys.length
      } catch (thrown) {
        // The disk, or the server: what is not looked after stays to be.
        for (const key of keys) this.#news.touch(key)
        trouble.warn('directory.homeNotTaken', { error: messageOf(thrown) })
        clock.after(AGAIN_MS, () => this.#look())
        return false
      }
      // What was refused may stand on what has come since.
      if (this.#news.isEmpty && hasTaken) {
        hasTaken = false
        for (const key of refusedBefore.keys()) this.#news.touch(key)
        refusedBefore.clear()
      }
    }
    return true
  }

  async #found(connection: LdapConnection, keys: readonly DirectoryKey[]): Promise<FoundRow[]> {
    const { place } = this.#set!
    const entries = await all(keys, (key) => entryAt(connection, dnOf(key, place.base)))
    const found: FoundRow[] = []
    for (const [at, key] of keys.entries()) {
      this.#notes.delete(key)
      const one = await this.#foundAt(key, entries[at])
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
    const here = this.#parts.directory.directory.row(key)
    this.#held.delete(key)
    if (entry === undefined) {
      if (here === undefined) return undefined
      if (!this.#mayRemove()) {
        this.#held.add(key)
        return undefined
      }
      return { key, row: null, by: { who: 'unknown', from: 'LDAP' } }
    }
    const read = rowOf(entry)
    if (!read.ok) return read.error
    const found = foundRow(entry, read.value, this.#set!.place)
    if (found.mark !== undefined && found.mark > this.#mark) this.#mark = found.mark
    return hashedPassword(found, { entry, here, iterations: this.#parts.scramIterations() })
  }

  #mayRemove(): boolean {
    const { directory, clock, trouble } = this.#parts
    const now = clock.monotonicMs()
    this.#removals = this.#removals.filter((at) => now - at < HOUR_MS)
    const size = directory.directory.size + this.#removals.length
    const count = this.#removals.length + 1
    if (!this.#isAccepted && count > SHRINK_MIN && count > size * SHRINK_MAX) {
      if (this.#held.size === 0)
        trouble.error('directory.homeShrank', { error: `${count} of ${size} rows would be gone` })
      return false
    }
    this.#removals.push(now)
    return true
  }
}
