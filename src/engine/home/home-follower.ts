import type { Log } from '#base/log.ts'
import type { Octets } from '#base/octets.ts'
import { Fault, isFault, messageOf } from '#base/outcome.ts'
import { SECOND_MS, sleep } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { LdapConnection } from '#client/ldap/connection.ts'
import { serverName } from '#client/ldap/server.ts'
import type { LdapServer } from '#client/ldap/server.ts'
import { synchronise } from '#client/ldap/synchronise.ts'
import { readCsnCookie } from '#codec/ldap/csn.ts'
import type { DirectoryLog } from '#store/directory/directory-log.ts'
import type { DirectoryMaster } from '#store/directory/directory-master.ts'
import type { HomeShelf } from '#store/directory/home-shelf.ts'
import { readRows } from '#store/directory/rows-text.ts'
import { rowKey } from '#store/directory/row-key.ts'
import { copyRows } from './copy-rows.ts'
import { HomeTaker } from './home-taker.ts'
import { KeptStand } from './kept-stand.ts'
import { HOME_TIMES } from './ldap-home.ts'
import type { LdapHome } from './ldap-home.ts'
import { ROWS_ASK, bindService, requireFloor } from './line.ts'
import { contextCsn } from './provision.ts'

const AGAIN_MS = SECOND_MS
/** While a replica is followed the provider is tried so often. */
const PROVIDER_MS = 5 * SECOND_MS
const PAGE_ROWS = 2_000

interface Parts {
  readonly home: LdapHome
  readonly directory: DirectoryMaster
  readonly log: Pick<DirectoryLog, 'rows'>
  readonly shelf: HomeShelf
  readonly clock: Clock
  readonly trouble: Log
  readonly scramIterations: () => number | undefined
}

/**
 * Follows the provider of a home, or a replica while that is away: what has changed since the last word that
 * is in the log, all of it where there is none. A provider that has lost changes is held until somebody says
 * that what it has counts.
 */
export class HomeFollower {
  readonly taker: HomeTaker
  readonly #parts: Parts
  readonly #stand: KeptStand
  readonly #cookies = new Map<string, Octets>()
  #state: 'starting' | 'well' | 'replica' | 'away' = 'starting'
  #error: string | undefined
  #follows: string | undefined
  /** How far the provider was when it was found to lack something. */
  #lackedAt: string | undefined
  #held: string | undefined
  readonly #end = new AbortController()
  #stop = (): void => undefined
  readonly #running: Promise<void>

  constructor(parts: Parts) {
    this.#parts = parts
    this.taker = new HomeTaker({ ...parts, settled: () => this.#stand.soon() })
    this.#stand = new KeptStand({
      ...parts,
      news: this.taker.news,
      cookies: this.#cookies,
      waiting: () => this.taker.waiting(),
    })
    this.#running = this.#run()
  }

  get state(): 'starting' | 'well' | 'replica' | 'away' | 'held' {
    return this.#held !== undefined || this.taker.isHolding ? 'held' : this.#state
  }

  /** What it has is older than what was taken from it. */
  get isProviderHeld(): boolean {
    return this.#held !== undefined
  }

  get error(): string | undefined {
    return this.#held ?? this.#error
  }

  /** Whom news come from. */
  get follows(): string | undefined {
    return this.#follows
  }

  /** When others have last changed something there. */
  get newsAtMs(): number | undefined {
    return this.taker.newsAtMs
  }

  /** Takes what was held: removals, or what a provider has that had come further before. */
  async accept(): Promise<void> {
    if (this.#held !== undefined) {
      this.#parts.home.believe('')
      this.#cookies.clear()
      this.#held = undefined
      this.#stop()
    }
    await this.taker.accept()
  }

  async close(): Promise<void> {
    this.#end.abort()
    this.#stop()
    await this.#running
    await this.taker.idle()
    await this.#stand.save()
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { clock, home, trouble } = this.#parts
    const { provider, replicas } = home.place
    for (const [server, cookie] of await this.#stand.load()) {
      this.#cookies.set(server, cookie)
      for (const csn of readCsnCookie(cookie)?.csns.values() ?? []) home.knows(csn)
    }
    while (!this.#end.signal.aborted) {
      let error: string | undefined
      for (const server of [provider, ...replicas]) {
        if (this.#end.signal.aborted) return
        error = await this.#followed(server, error)
        if (error === undefined) break
      }
      this.#follows = undefined
      if (error === undefined || this.#end.signal.aborted) continue
      if (this.#state !== 'away') trouble.warn('directory.homeAway', { error })
      this.#state = 'away'
      const waiting = new AbortController()
      this.#stop = () => waiting.abort()
      await sleep(clock, AGAIN_MS, waiting.signal)
    }
  }

  /** Undefined: it was followed, and that has ended; else why it was not, or why those before it were not. */
  async #followed(server: LdapServer, before: string | undefined): Promise<string | undefined> {
    const { home, trouble } = this.#parts
    try {
      await this.#follow(server, server === home.place.provider)
      return undefined
    } catch (thrown) {
      if (!isFault(thrown)) trouble.error('directory.homeFailed', { error: messageOf(thrown) })
      this.#error = before ?? messageOf(thrown)
      return this.#error
    }
  }

  /** Until the connection ends; from a replica for a while only. Throws a Fault where it never began. */
  async #follow(server: LdapServer, isProvider: boolean): Promise<void> {
    const { clock, home } = this.#parts
    const parts = { clock, times: HOME_TIMES }
    const connection = await LdapConnection.open(server, parts)
    let reader: LdapConnection | undefined
    let cancel: (() => void) | undefined
    try {
      await bindService(connection, home.place.bind)
      reader = await LdapConnection.open(server, parts)
      await bindService(reader, home.place.bind)
      await this.#require(reader, isProvider)
      this.#stop = () => connection.close()
      if (this.#end.signal.aborted) return
      if (!isProvider) cancel = clock.after(PROVIDER_MS, () => connection.close())
      await this.#news(connection, { connection: reader, isProvider })
    } catch (thrown) {
      // What was followed and has ended is begun again at once.
      if (reader === undefined || this.taker.reader?.connection !== reader) throw thrown
    } finally {
      cancel?.()
      this.taker.reader = undefined
      connection.close()
      await this.taker.idle()
      reader?.close()
    }
  }

  async #news(connection: LdapConnection, reader: NonNullable<HomeTaker['reader']>): Promise<void> {
    const name = serverName(connection.server)
    const cookie = this.#cookies.get(name)
    const { taker } = this
    // Cookies vouch for the names of entries that are known, which are learnt anew now.
    if (cookie === undefined) this.#cookies.clear()
    taker.news.begin(cookie === undefined)
    const ask = ROWS_ASK(this.#parts.home.place.base)
    const options = { persist: true, ...(cookie !== undefined && { cookie }) }
    let last = cookie
    try {
      for await (const event of synchronise(connection, ask, options)) {
        taker.news.take(event)
        if (event.kind === 'cookie') last = Uint8Array.from(event.cookie) // not the buffer around it
        if (event.kind === 'refreshed') {
          if (cookie === undefined) await this.#touchAbsent()
          this.#state = reader.isProvider ? 'well' : 'replica'
          if (reader.isProvider) this.#error = undefined
          this.#follows = name
          taker.reader = reader
        }
        if (taker.reader === undefined) continue
        if (last !== undefined) this.#cookies.set(name, last)
        taker.look()
        this.#stand.soon()
      }
    } catch (thrown) {
      // Refused before anything came of it, it is worth nothing there any more: begun without one next time.
      if (taker.reader === undefined && !isFault(thrown, 'closed') && !isFault(thrown, 'timeout'))
        this.#cookies.delete(name)
      throw thrown
    }
  }

  /** That a server has what was taken already. */
  async #require(reader: LdapConnection, isProvider: boolean): Promise<void> {
    const { home, directory } = this.#parts
    const { base } = home.place
    try {
      await requireFloor(reader, base, home.floor)
    } catch (thrown) {
      if (!isProvider) throw thrown
      await this.#compare(reader, (await contextCsn(reader, base)) ?? '')
    }
    if (!isProvider) return
    this.#held = undefined
    await directory.alone(() => home.finish())
  }

  /**
   * A provider that died may have forgotten how far it was (its contextCSN is written now and then) and have
   * every row all the same. One that lacks rows is of an older backup. Throws a Fault there.
   */
  async #compare(reader: LdapConnection, csn: string): Promise<void> {
    const { home, directory, log, clock, trouble } = this.#parts
    const { base } = home.place
    if (this.#lackedAt !== csn) {
      const there = await copyRows(reader, {
        base,
        directory: directory.directory,
        log,
        atMs: clock.nowMs(),
      })
      const strangers = there.strangers.filter((dn) => !NO_ROWS.test(dn)).length
      if (there.differing + strangers === 0) {
        home.believe(csn)
        this.#cookies.clear()
        return
      }
      this.#lackedAt = csn
      this.#held = `the provider is older than what was taken from it: ${there.differing + strangers} rows there differ; nothing of it is done`
      trouble.error('directory.homeOlder', { error: this.#held })
    }
    throw new Fault(
      'unavailable',
      this.#held ?? 'the provider is older than what was taken from it',
    )
  }

  /** Rows here that have no entry there. */
  async #touchAbsent(): Promise<void> {
    const { news } = this.taker
    const there = news.keys()
    for (let after: number | undefined = 0; after !== undefined;) {
      const page = await this.#parts.log.rows({ after, limit: PAGE_ROWS })
      for (const { row } of readRows(page)) if (!there.has(rowKey(row))) news.touch(rowKey(row))
      after = page.next
    }
  }
}

const NO_ROWS = /^watariKey=(?:edit|check):/i
