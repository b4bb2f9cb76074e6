import { Fault, isFault } from '#base/outcome.ts'
import { MINUTE_MS, SECOND_MS, sleep } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { LdapConnection } from '#client/ldap/connection.ts'
import type { HostHealth, LdapHosts } from '#client/ldap/hosts.ts'
import { knownAttributes, lookAt } from '#client/ldap/look.ts'
import type { LdapLook } from '#client/ldap/look.ts'
import { serverName } from '#client/ldap/server.ts'
import { synchroniseAs } from '#client/ldap/synchronise.ts'
import type { SyncEvent } from '#client/ldap/synchronise.ts'
import { commonCsns, csnCookie, readCsnCookie } from '#codec/ldap/csn.ts'
import type { CsnVector } from '#codec/ldap/csn.ts'
import { EntryTextReader } from '#codec/ldap/entry-texts.ts'
import type { EntryTexts } from '#model/directory-entry.ts'
import type { DirectorySource } from '#model/source.ts'
import { HostsProgress } from './hosts-progress.ts'
import { askOf, copiedEntry, hostsOf, readWhole, tooMany } from './read-source.ts'
import { NewsBatch } from './news-batch.ts'
import type { TakeNews } from './news-batch.ts'

/** A source that tells no news is read whole after this. */
const POLL_MS = 30 * SECOND_MS
/** However slowly a server goes through its entries. */
const REFRESH_MS_MAX = 30 * MINUTE_MS
/** What does not become better by being asked again. */
const TOO_MUCH = ['limit', 'config', 'notFound'] as const
const LATER_MS = 10 * MINUTE_MS
/** After a failure, and after one failure more. */
const RETRY_MS: readonly number[] = [0, 1, 2, 5, 10, 30].map((seconds) => seconds * SECOND_MS)

/** How a host of a source is, and how far behind the newest of them. */
export interface SourceHost extends HostHealth {
  readonly lagMs?: number
  /** It is the one whose news are taken. */
  readonly isFollowed: boolean
}

/** What whoever keeps a copy does with what a follower brings. */
export interface FollowerTaker {
  /** How far the copy has come. */
  readonly seen: () => CsnVector
  /** No copy yet: all is asked for. */
  readonly isEmpty: () => boolean
  readonly take: TakeNews
  readonly failed: (fault: unknown) => void
}

/**
 * Brings what changes in a source: as news where its server offers them (RFC 4533), else by reading it
 * again and again. Whichever of the source's servers answers: how far each has come is compared, one that
 * hangs or is behind the others is left for another, and a cookie says no more than that server knows.
 */
export class SourceFollower {
  readonly #source: DirectorySource
  readonly #hosts: LdapHosts
  readonly #clock: Clock
  readonly #taker: FollowerTaker
  readonly #peopleMax: number
  readonly #progress: HostsProgress
  #mode: 'persist' | 'polling' | undefined
  #followed: LdapConnection | undefined
  #newsAtMs: number | undefined
  /** Cookies that only their own server understands. */
  readonly #cookies = new Map<string, Uint8Array>()
  /** Somebody wants all of it anew. */
  #isWholeWanted = false
  #waiting: (() => void)[] = []
  #wake = new AbortController()
  #isClosed = false
  readonly #running: Promise<void>

  constructor(
    source: DirectorySource,
    parts: {
      readonly clock: Clock
      readonly taker: FollowerTaker
      readonly peopleMax: number
      /** Awaited before anything is asked: the cookies of a copy that is there already, by their hosts. */
      readonly before?: () => Promise<readonly (readonly [host: string, cookie: Uint8Array])[]>
    },
  ) {
    this.#source = source
    this.#clock = parts.clock
    this.#taker = parts.taker
    this.#peopleMax = parts.peopleMax
    this.#hosts = hostsOf(source, parts.clock)
    this.#progress = new HostsProgress(this.#hosts, parts.clock)
    this.#running = this.#run(parts.before)
  }

  get mode(): 'persist' | 'polling' | undefined {
    return this.#mode
  }

  /** When a server has last said anything new. */
  get newsAtMs(): number | undefined {
    return this.#newsAtMs
  }

  hosts(): readonly SourceHost[] {
    return this.#hosts.health().map((health, at) => {
      const lag = this.#progress.lagOf(at)
      return {
        ...health,
        ...(lag !== undefined && { lagMs: lag }),
        isFollowed: this.#followed?.server === health.server,
      }
    })
  }

  /** Reads all of it now; resolves when it is taken, held or has failed. */
  readNow(): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    return new Promise((resolve) => {
      this.#isWholeWanted = true
      this.#waiting.push(resolve)
      this.#stir()
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#stir()
    this.#hosts.close()
    await this.#running
  }

  /** Ends whatever is waited for, and the connection that is followed. */
  #stir(): void {
    this.#wake.abort()
    this.#followed?.close()
  }

  /** Never rejects. */
  async #run(
    before: () => Promise<readonly (readonly [string, Uint8Array])[]> = async () => [],
  ): Promise<void> {
    await Promise.resolve() // whoever makes it has it before it asks anything
    for (const [host, cookie] of await before()) this.#cookies.set(host, cookie)
    let failures = 0
    while (!this.#isClosed) {
      const waiting = this.#waiting.splice(0)
      const fresh = (): void => {
        failures = 0
        for (const resolve of waiting.splice(0)) resolve()
      }
      this.#wake = new AbortController()
      let waitMs = 0
      try {
        const end = await this.#hosts.inTurn((connection) => this.#at(connection, fresh))
        if (end === 'stirred') this.#waiting.unshift(...waiting.splice(0))
        else waitMs = POLL_MS
      } catch (thrown) {
        // Once more at once: a connection may end for any reason, and a name lead elsewhere the next time.
        if (!this.#progress.isRedialing) {
          waitMs = RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)]!
          if (TOO_MUCH.some((code) => isFault(thrown, code))) waitMs = LATER_MS
          if (waitMs > 0 || waiting.length > 0) this.#taker.failed(thrown)
        }
        if (waitMs === 0) this.#waiting.unshift(...waiting.splice(0))
      }
      for (const resolve of waiting) resolve()
      if (waitMs > 0) await sleep(this.#clock, waitMs, this.#wake.signal)
    }
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  /** Whatever one server has to say, until it ends or somebody wants it otherwise. */
  async #at(connection: LdapConnection, fresh: () => void): Promise<'polled' | 'held' | 'stirred'> {
    const look = await lookAt(connection, this.#source.base)
    this.#progress.tells(this.#taker.seen())
    this.#progress.require(look.csns)
    let isWhole = this.#isWholeWanted || this.#taker.isEmpty()
    this.#isWholeWanted = false
    const done = (): void => {
      isWhole = false
      fresh()
    }
    try {
      if (!look.offersSync) return await this.#poll(connection, look, done)
      try {
        return await this.#follow(connection, look, { isWhole, done })
      } catch (thrown) {
        // OpenLDAP lists the control for all of its databases, of which this one may not have it.
        if (!isFault(thrown, 'invalid')) throw thrown
        return await this.#poll(connection, look, done)
      }
    } catch (thrown) {
      this.#isWholeWanted ||= isWhole
      if (this.#wake.signal.aborted) return 'stirred'
      throw thrown
    }
  }

  async #poll(
    connection: LdapConnection,
    { csns, suffix }: LdapLook,
    done: () => void,
  ): Promise<'polled' | 'held'> {
    this.#mode = 'polling'
    const news = await readWhole(connection, this.#source, { peopleMax: this.#peopleMax })
    const taken = await this.#take(news, { csns, isRefresh: true })
    done()
    if (!this.#isClosed) await this.#progress.look(suffix)
    return taken === 'held' ? 'held' : 'polled'
  }

  async #follow(
    connection: LdapConnection,
    { csns, suffix }: LdapLook,
    { isWhole, done }: { readonly isWhole: boolean; readonly done: () => void },
  ): Promise<'held' | 'stirred'> {
    this.#mode = 'persist'
    this.#followed = connection
    const over = new AbortController()
    const batch = new NewsBatch({
      clock: this.#clock,
      csns,
      take: (news, from) => this.#take(news, from),
      held: () => connection.close(),
      host: serverName(connection.server),
    })
    const cookie = isWhole ? undefined : this.#cookieFor(connection, csns)
    const options = {
      persist: true,
      readEntryAs: new EntryTextReader().read,
      uuidIn: ({ texts }: EntryTexts) => texts.get('entryuuid')?.[0],
      ...(cookie !== undefined && { cookie }),
    }
    const cancel = this.#clock.after(REFRESH_MS_MAX, () => connection.close())
    let blame: unknown
    try {
      const ask = askOf(this.#source, await knownAttributes(connection))
      for await (const events of synchroniseAs(connection, ask, options))
        for (const event of events) {
          this.#put(batch, event)
          if (batch.isFresh) await batch.soon()
          else if (event.kind === 'refreshed') {
            cancel()
            // RFC 4533 §3.3.1: without a cookie it was all that there is.
            if (cookie === undefined) batch.news.isRestGone = true
            await batch.refreshed()
            if (batch.isHeld) return 'held'
            done()
            const watch = { settled: () => batch.settled(), signal: over.signal }
            void this.#progress.watch(connection, suffix, watch).then((fault) => {
              blame = fault
              connection.close()
            })
          }
        }
      throw new Fault('closed', 'the server tells no more news')
    } catch (thrown) {
      await batch.settled() // what was told before it failed is true all the same
      if (batch.isHeld) return 'held'
      if (!isFault(thrown, 'conflict') || cookie === undefined) throw blame ?? thrown
      this.#cookies.delete(serverName(connection.server))
      this.#isWholeWanted = true
      return 'stirred'
    } finally {
      cancel()
      over.abort()
      this.#followed = undefined
    }
  }

  #cookieFor(connection: LdapConnection, csns: CsnVector): Uint8Array | undefined {
    const own = this.#cookies.get(serverName(connection.server))
    if (own !== undefined) return own
    const seen = this.#taker.seen()
    // The copy holds at least what this server knows: from there on it is asked for news.
    const common = commonCsns(csns.size === 0 ? seen : csns, seen)
    return common.size === 0 ? undefined : csnCookie(common)
  }

  #put(batch: NewsBatch, event: SyncEvent<EntryTexts>): void {
    if (event.kind === 'entry') {
      const { uuid, entry } = event
      batch.news.entries.set(uuid, copiedEntry(this.#source, entry, uuid))
      if (batch.news.gone.size > 0) batch.news.gone.delete(uuid)
      if (batch.news.entries.size > this.#peopleMax) throw tooMany(this.#source, this.#peopleMax)
    } else if (event.kind === 'gone')
      for (const uuid of event.uuids) {
        batch.news.gone.add(uuid)
        batch.news.entries.delete(uuid)
      }
    else if (event.kind === 'stays') for (const uuid of event.uuids) batch.news.stays.add(uuid)
    else if (event.kind === 'restGone') batch.news.isRestGone = true
    else if (event.kind === 'cookie') {
      const known = readCsnCookie(event.cookie)
      if (known === undefined) batch.reachesState(Uint8Array.from(event.cookie)) // not the buffer around it
      else batch.reaches(known.csns)
    }
  }

  readonly #take: TakeNews = async (news, from) => {
    this.#newsAtMs = this.#clock.nowMs()
    this.#progress.tells(from.csns)
    const taken = await this.#taker.take(news, from)
    if (taken === 'taken' && from.cookie !== undefined)
      this.#cookies.set(from.cookie.host, from.cookie.octets)
    return taken
  }
}
