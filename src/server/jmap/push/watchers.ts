import { createHash } from 'node:crypto'
import { SECOND_MS } from '#base/time.ts'
import type { Account, AccountId } from '#model/account.ts'
import { mayStay } from '#store/directory/entrant.ts'
import type { StoreChanged } from '#store/mailbox/mailbox-view.ts'
import { sharedAccounts } from '#server/jmap/account-of.ts'
import type { Call, JmapRoom } from '#server/jmap/room.ts'
import { loginsOf } from '#server/jmap/shares.ts'
import { statesOf } from './states.ts'
import type { States, TypeName } from './states.ts'

/** A burst of changes is told once. */
const GATHER_MS = 100

/** StateChange (RFC 8620 §7.1, RFC 8887 §4.3.5.1). */
export interface StateChange {
  readonly '@type': 'StateChange'
  readonly changed: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Of all that its receiver has been told by now. */
  readonly pushState: string
}

/** The connection of somebody who wants to hear. */
export interface Hearer {
  readonly isGone: boolean
  tell(change: StateChange): void
  /** Its login is good no more, or the server ends. */
  end(why: 'fallen' | 'closing'): void
}

/** Somebody who hears of changes until `stop`. */
export interface Watch {
  /** Of what it has been told, or of what was so when it began. */
  readonly pushState: string
  stop(): void
}

interface Watcher {
  /** On the login's own account. */
  readonly call: Call
  readonly hearer: Hearer
  readonly types: ReadonlySet<TypeName>
  /** By account, its own first: what it was told last, or what was so when it began. */
  readonly told: Map<AccountId, States>
  /** Accounts in which something has changed since. */
  readonly stale: Set<AccountId>
  isWaiting: boolean
  hasStopped: boolean
}

/** Who is told of changes, each over a connection of its own (RFC 8620 §7.1). */
export class Watchers {
  readonly #room: JmapRoom
  readonly #byLogin = new Map<AccountId, Set<Watcher>>()
  /** Who hears of an account: its own, and logins that have a share in it. */
  readonly #byAccount = new Map<AccountId, Set<Watcher>>()
  #count = 0

  constructor(room: JmapRoom) {
    this.#room = room
  }

  /**
   * Tells the hearer of changes from now on; of everything at once where it brings a push state that
   * is not that of now. Undefined: too many watch already.
   */
  async watch(
    call: Call,
    hearer: Hearer,
    { types, pushState }: { readonly types: ReadonlySet<TypeName>; readonly pushState?: string },
  ): Promise<Watch | undefined> {
    const { limits } = this.#room
    const told = new Map<AccountId, States>()
    for (const account of await accountsOf(call))
      told.set(account.id, await statesOf({ ...call, account }, types))
    const { id } = call.login
    const own = this.#byLogin.get(id) ?? new Set()
    if (own.size >= limits.eventStreamsPerAccountMax || this.#count >= limits.eventStreamsMax)
      return undefined
    if (pushState !== undefined && pushState !== pushStateOf(told))
      for (const accountId of told.keys()) told.set(accountId, {})
    const stale = new Set(told.keys())
    const watcher = { call, hearer, types, told, stale, isWaiting: false, hasStopped: false }
    if (hearer.isGone) return { pushState: '', stop: () => undefined }
    this.#byLogin.set(id, own.add(watcher))
    for (const accountId of told.keys()) this.#hear(watcher, accountId)
    this.#count++
    this.#wake(watcher) // something may have changed before it was among the others
    return { pushState: pushStateOf(told), stop: () => this.#stop(watcher) }
  }

  changed(change: StoreChanged): void {
    const { accountId } = change
    for (const watcher of this.#byAccount.get(accountId) ?? []) {
      watcher.stale.add(accountId)
      this.#wake(watcher)
    }
    const logins = loginsOf(change)
    // What everybody has a share in now wakes all: not ten times a second.
    if (logins === 'all')
      for (const watchers of this.#byLogin.values())
        for (const watcher of watchers) this.#wake(watcher, SECOND_MS)
    else
      for (const login of logins)
        for (const watcher of this.#byLogin.get(login) ?? []) this.#wake(watcher)
  }

  /** What accounts may hold is in no row of the store. */
  limitsChanged(accounts: readonly AccountId[] | 'all'): void {
    for (const id of accounts === 'all' ? this.#byLogin.keys() : accounts)
      for (const watcher of this.#byLogin.get(id) ?? []) {
        watcher.stale.add(id)
        this.#wake(watcher, accounts === 'all' ? SECOND_MS : GATHER_MS)
      }
  }

  /** Ends those whose login is good no more. */
  endFallen(accounts: ReadonlySet<AccountId> | 'all'): void {
    for (const id of accounts === 'all' ? this.#byLogin.keys() : accounts)
      for (const watcher of this.#byLogin.get(id) ?? [])
        if (!this.#mayGoOn(watcher)) watcher.hearer.end('fallen')
  }

  close(): void {
    for (const watchers of this.#byLogin.values())
      for (const { hearer } of watchers) hearer.end('closing')
  }

  #stop(watcher: Watcher): void {
    if (watcher.hasStopped) return
    watcher.hasStopped = true
    this.#count--
    const { id } = watcher.call.login
    const own = this.#byLogin.get(id)
    own?.delete(watcher)
    if (own?.size === 0) this.#byLogin.delete(id)
    for (const accountId of watcher.told.keys()) this.#hearNoMore(watcher, accountId)
  }

  #hear(watcher: Watcher, accountId: AccountId): void {
    const watchers = this.#byAccount.get(accountId) ?? new Set()
    this.#byAccount.set(accountId, watchers.add(watcher))
  }

  #hearNoMore(watcher: Watcher, accountId: AccountId): void {
    const watchers = this.#byAccount.get(accountId)
    watchers?.delete(watcher)
    if (watchers?.size === 0) this.#byAccount.delete(accountId)
  }

  #wake(watcher: Watcher, gatherMs = GATHER_MS): void {
    if (watcher.isWaiting) return
    watcher.isWaiting = true
    this.#room.clock.after(gatherMs, () => {
      watcher.isWaiting = false
      this.#tell(watcher).catch(() => undefined) // storage is away: the next change tells
    })
  }

  /** Somebody hears as long as the login that began it is good. */
  #mayGoOn({ call: { login } }: Watcher): boolean {
    return mayStay(login, this.#room.directory)
  }

  async #tell(watcher: Watcher): Promise<void> {
    if (watcher.hasStopped) return
    if (!this.#mayGoOn(watcher)) return watcher.hearer.end('fallen')
    const changed = await this.#changedFor(watcher)
    if (watcher.hasStopped || Object.keys(changed).length === 0) return
    watcher.hearer.tell({
      '@type': 'StateChange',
      changed,
      pushState: pushStateOf(watcher.told),
    })
  }

  /** RFC 8620 §7.1: what has changed since it was told last. */
  async #changedFor(watcher: Watcher): Promise<Record<string, Readonly<Record<string, string>>>> {
    const { call, types, told, stale } = watcher
    const changed: Record<string, Readonly<Record<string, string>>> = {}
    const accounts = await accountsOf(call)
    for (const account of accounts) {
      const before = told.get(account.id)
      if (before !== undefined && !stale.delete(account.id)) continue
      const now = await statesOf({ ...call, account }, types)
      if (watcher.hasStopped) return {}
      if (before === undefined) this.#hear(watcher, account.id)
      told.set(account.id, now)
      const news = Object.entries(now).filter(
        ([type, state]) => before?.[type as TypeName] !== state,
      )
      if (news.length > 0) changed[account.id] = Object.fromEntries(news)
    }
    const there = new Set(accounts.map(({ id }) => id))
    for (const id of [...told.keys()].filter((each) => !there.has(each))) {
      told.delete(id)
      this.#hearNoMore(watcher, id)
      // Whoever asks what has become of it learns that there is no such account any more.
      if (types.has('Mailbox')) changed[id] = { Mailbox: 'gone' }
    }
    return changed
  }
}

/** One short string for all that somebody was told. */
const pushStateOf = (told: ReadonlyMap<AccountId, States>): string =>
  createHash('sha256')
    .update(JSON.stringify([...told].toSorted(([a], [b]) => (a < b ? -1 : 1))))
    .digest('base64url')
    .slice(0, 16)

const accountsOf = async (call: Call): Promise<readonly Account[]> => [
  call.login,
  ...(await sharedAccounts(call)).map(({ account }) => account),
]
