import { randomId } from '#base/id.ts'
import type { Octets } from '#base/octets.ts'
import { Fault, isFault, messageOf } from '#base/outcome.ts'
import { HOUR_MS, SECOND_MS, sleep } from '#base/time.ts'
import { WokenWork } from '#base/woken-work.ts'
import { LdapConnection } from '#client/ldap/connection.ts'
import type { ScriptWritesBody } from '#contract/node/scripts.ts'
import { mainAddressOf } from '#model/account.ts'
import type { AccountId } from '#model/account.ts'
import type { KnownScript, ScriptHomeStand } from '#store/directory/script-shelf.ts'
import type { HomeNote } from './home-taker.ts'
import { HOME_TIMES } from './ldap-home.ts'
import { bindService, requireFloor } from './line.ts'
import { contextCsn } from './provision.ts'
import { putScript } from './script-entry.ts'
import { ScriptMeeting } from './script-meeting.ts'
import type { ScriptMeetingParts } from './script-meeting.ts'
import { ScriptNews } from './script-news.ts'
import { isAlike, knownScripts, lackingScripts, requireScripts } from './known-scripts.ts'

const AGAIN_MS = 2 * SECOND_MS
/** Whether the store still knows of its home: one that has lost its disk does not. */
const GREET_MS = 15 * SECOND_MS
/** After trouble with the store, or with the provider. */
const LOOK_AGAIN_MS = 5 * SECOND_MS
/** All accounts are compared: a store that was put back from a backup says nothing of it. */
const SWEEP_MS = HOUR_MS
const ACCOUNTS_A_PAGE = 200

/** `copying`: the store's are on their way there, or back. */
export type ScriptsState = 'starting' | 'copying' | 'well' | 'away' | 'held'

/**
 * Keeps users' scripts in a home on LDAP beside the store that they are served from: what the store asks for
 * is written there before it is made, what others change there is taken into the store. Octets pass through,
 * none is kept.
 */
export class HomeScripts {
  readonly #parts: ScriptMeetingParts
  readonly #meeting: ScriptMeeting
  readonly #work: WokenWork
  readonly #dirty = new Set<AccountId>()
  /** Of accounts that the directory does not have: looked at when it does. */
  readonly #strangers = new Set<AccountId>()
  readonly #deafen: () => void
  readonly #end = new AbortController()
  readonly #running: Promise<void>
  #stop: () => void = () => undefined
  #isFollowing = false
  /** What was there when it began has been told. */
  #isFresh = false
  #state: ScriptsState = 'starting'
  #error: string | undefined
  /** How far the provider was when it was found to lack something. */
  #lackedAt: string | undefined
  #stand: ScriptHomeStand | undefined
  /** What has been told since; kept when all before it is looked at. */
  #cookie: Octets | undefined
  #greetedMs = -Infinity
  #sweptMs = -Infinity
  /** All accounts were compared once: what differs since was changed since, there or by us. */
  #hasMet = false
  #compared = 0

  constructor(parts: ScriptMeetingParts) {
    const { clock, directory, trouble } = parts
    this.#parts = parts
    const prefers = (): 'here' | 'there' => (this.#hasMet ? 'there' : parts.prefers())
    this.#meeting = new ScriptMeeting({ ...parts, prefers })
    this.#work = new WokenWork({
      pass: () => this.#pass(),
      onTrouble: (cause) => {
        this.#error = cause
        trouble.warn('directory.homeScriptsWait', { error: cause })
      },
      lookAgainMs: LOOK_AGAIN_MS,
      clock,
    })
    this.#deafen = directory.onChange((changes) =>
      this.#welcome(
        changes.length === 0
          ? this.#strangers // anything may have changed
          : changes.flatMap(({ row }) => (row?.kind === 'account' ? [row.account.id] : [])),
      ),
    )
    this.#running = this.#run()
  }

  get state(): ScriptsState {
    return this.#state === 'well' && this.#meeting.isHolding ? 'held' : this.#state
  }

  /** What it has is older than what was taken from it. */
  get isProviderHeld(): boolean {
    return this.#state === 'held'
  }

  get error(): string | undefined {
    return this.#error
  }

  /** Accounts whose scripts are not looked at yet. */
  get waiting(): number {
    return this.#dirty.size
  }

  /** While they are copied: accounts that are done. */
  get copied(): number | undefined {
    return this.#state === 'copying' ? this.#compared : undefined
  }

  notes(): readonly HomeNote[] {
    const { directory } = this.#parts.directory
    return this.#meeting.notes().map(({ accountId, name, text }) => {
      const account = directory.account(accountId)
      const { localpart, domain } = account === undefined ? UNNAMED : mainAddressOf(account)
      return { key: `script:${localpart}@${domain}/${name}`, text }
    })
  }

  /** A change of the store's. Throws Fault `unavailable` where it cannot be made there. */
  async write({ accountId, writes }: ScriptWritesBody): Promise<void> {
    const { home } = this.#parts
    const { base } = home.place
    if (this.#state === 'held') throw new Fault('unavailable', this.#error ?? OLDER)
    const refused = await home.with(async (connection) => {
      for (const write of writes) {
        const put = { accountId: accountId as AccountId, write }
        const done = await putScript(connection, base, put)
        if (done.kind === 'refused') return done.message
        if (done.kind === 'changed') return 'it is changed by others just now'
        home.knows(done.mark)
      }
      return undefined
    })
    if (refused === undefined) return
    this.#parts.trouble.warn('directory.homeScriptRefused', { accountId, error: refused })
    throw new Fault('unavailable', `the LDAP provider does not take the script: ${refused}`)
  }

  /** Takes removals that were held. */
  async accept(): Promise<void> {
    for (const accountId of this.#meeting.accept()) this.#touch(accountId)
    if (this.#state === 'held') {
      this.#lackedAt = undefined
      this.#state = 'away'
      this.#stop()
    }
    await this.#work.idle()
  }

  async close(): Promise<void> {
    this.#end.abort()
    this.#deafen()
    this.#stop()
    await this.#running
    await this.#work.close()
  }

  /** Who of these was a stranger, and is in the directory by now. */
  #welcome(accountIds: Iterable<AccountId>): void {
    const { directory } = this.#parts.directory
    for (const accountId of accountIds)
      if (this.#strangers.has(accountId) && directory.account(accountId) !== undefined) {
        this.#strangers.delete(accountId)
        this.#touch(accountId)
      }
  }

  #touch(accountId: AccountId): void {
    this.#dirty.add(accountId)
    this.#work.wake()
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { clock, trouble } = this.#parts
    while (!this.#end.signal.aborted) {
      try {
        await this.#follow()
      } catch (thrown) {
        if (!isFault(thrown))
          trouble.error('directory.homeScriptsFailed', { error: messageOf(thrown) })
        if (this.#error !== messageOf(thrown))
          trouble.warn('directory.homeScriptsAway', { error: messageOf(thrown) })
        this.#error = messageOf(thrown)
        if (this.#state !== 'held') this.#state = 'away'
      }
      const waiting = new AbortController()
      this.#stop = () => waiting.abort()
      if (!this.#end.signal.aborted) await sleep(clock, AGAIN_MS, waiting.signal)
    }
  }

  /** Until the connection ends; only the provider: a replica may lack what was taken already. */
  async #follow(): Promise<void> {
    const { home, clock, shelf } = this.#parts
    const { base, provider, bind } = home.place
    const connection = await LdapConnection.open(provider, { clock, times: HOME_TIMES })
    try {
      await bindService(connection, bind)
      await requireFloor(connection, base, home.floor)
      await requireScripts(connection)
      const isOlder = await this.#requireNews(connection)
      this.#stop = () => connection.close()
      this.#stand = (await shelf.stand()).stand
      if (this.#stand === undefined) await this.#keepStand({ name: randomId(20) })
      if (this.#end.signal.aborted) return
      const { cookieBase64 } = this.#stand!
      const cookie =
        isOlder || cookieBase64 === undefined ? undefined : Buffer.from(cookieBase64, 'base64')
      this.#cookie = undefined
      this.#isFresh = false
      this.#isFollowing = true
      this.#greetedMs = -Infinity
      this.#state = 'copying'
      this.#work.wake()
      await this.#news(connection, cookie)
    } finally {
      this.#isFollowing = false
      connection.close()
      await this.#work.idle()
    }
  }

  async #keepStand(stand: ScriptHomeStand): Promise<void> {
    await this.#parts.shelf.keepStand({ stand })
    this.#stand = stand
  }

  /** True where it may have lost changes, and has none that is known. Throws a Fault where it has. */
  async #requireNews(connection: LdapConnection): Promise<boolean> {
    const { shelf, home, trouble } = this.#parts
    const { base } = home.place
    const reached = (await contextCsn(connection, base)) ?? ''
    if ((await shelf.sum()).csn <= reached) {
      this.#lackedAt = undefined
      return false
    }
    if (this.#lackedAt === reached) throw new Fault('unavailable', this.#error ?? OLDER)
    const lacking = await lackingScripts(connection, base, shelf)
    if (lacking === 0) return true
    this.#lackedAt = reached
    this.#state = 'held'
    const error = `${OLDER}: ${lacking} scripts there differ; nothing of it is done`
    trouble.error('directory.homeOlder', { error })
    throw new Fault('unavailable', error)
  }

  async #news(connection: LdapConnection, cookie: Octets | undefined): Promise<void> {
    const news = new ScriptNews({
      shelf: this.#parts.shelf,
      base: this.#parts.home.place.base,
      touch: (accountId) => this.#touch(accountId),
      told: (cookie) => {
        this.#cookie = cookie
        this.#work.wake()
      },
      fresh: () => {
        this.#isFresh = true
        this.#work.wake()
      },
    })
    try {
      await news.follow(connection, cookie)
    } catch (thrown) {
      // Refused before anything came of it, the cookie is worth nothing there any more.
      const isCut = isFault(thrown, 'closed') || isFault(thrown, 'timeout')
      if (!this.#isFresh && cookie !== undefined && !isCut)
        await this.#keepStand({ name: this.#stand!.name })
      throw thrown
    }
  }

  async #pass(): Promise<void> {
    if (!this.#isFollowing || this.#stand === undefined) return
    const { clock } = this.#parts
    if (clock.monotonicMs() - this.#greetedMs >= GREET_MS) await this.#greet(this.#stand.name)
    if (clock.monotonicMs() - this.#sweptMs >= SWEEP_MS) await this.#sweep()
    await this.#meetDirty()
    if (!this.#isFollowing || !this.#isFresh) return
    this.#state = 'well'
    this.#error = this.#meeting.error
    const cookie = this.#cookie
    if (cookie === undefined || this.#dirty.size > 0) return
    this.#cookie = undefined
    const { name } = this.#stand
    await this.#keepStand({ name, cookieBase64: Buffer.from(cookie).toString('base64') })
  }

  /** A store that did not know may have changed scripts by itself, or have lost them. */
  async #greet(name: string): Promise<void> {
    const { store, clock } = this.#parts
    const { before } = await store().home({ home: name })
    this.#greetedMs = clock.monotonicMs()
    if (before !== name) this.#sweptMs = -Infinity
  }

  /** Compares all accounts, by what is known of them here and what the store has. */
  async #sweep(): Promise<void> {
    const { store, shelf, clock } = this.#parts
    this.#compared = 0
    for (let after: string | undefined = ''; after !== undefined;) {
      const from = after
      const page = await store().stands({ after: from, limit: ACCOUNTS_A_PAGE })
      const known = new Map<AccountId, KnownScript[]>()
      for await (const row of knownScripts(shelf, from, page.next))
        known.set(row.accountId, [...(known.get(row.accountId) ?? []), row])
      const here = new Map(page.accounts.map(({ accountId, scripts }) => [accountId, scripts]))
      for (const accountId of new Set([...here.keys(), ...known.keys()])) {
        if (!isAlike(here.get(accountId) ?? [], known.get(accountId) ?? []))
          await this.#meet(accountId)
        this.#compared++
        if (!this.#isFollowing) return
      }
      after = page.next
    }
    this.#sweptMs = clock.monotonicMs()
    this.#hasMet = true
  }

  async #meetDirty(): Promise<void> {
    while (this.#isFollowing) {
      const [accountId] = this.#dirty
      if (accountId === undefined) return
      this.#dirty.delete(accountId)
      await this.#meet(accountId)
    }
  }

  async #meet(accountId: AccountId): Promise<void> {
    try {
      if ((await this.#meeting.meet(accountId)) !== 'stranger') return
      this.#strangers.add(accountId)
      this.#welcome([accountId]) // who has come while it was looked at
    } catch (thrown) {
      this.#dirty.add(accountId)
      throw thrown
    }
  }
}

const UNNAMED = { localpart: '', domain: '' }
const OLDER = 'the provider is older than what was taken from it'
