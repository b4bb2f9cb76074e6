import { setImmediate as turn } from 'node:timers/promises'
import type { Log } from '#base/log.ts'
import { messageOf } from '#base/outcome.ts'
import { MINUTE_MS, SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { LdapConnection } from '#client/ldap/connection.ts'
import { NO_SUCH_OBJECT, resultFault } from '#client/ldap/results.ts'
import { search } from '#client/ldap/search.ts'
import type { LdapResult } from '#codec/ldap/message.ts'
import { mainAddressOf } from '#model/account.ts'
import { addressKey } from '#model/address.ts'
import type { DirectoryEntry } from '#model/directory-entry.ts'
import type { DirectoryMaster } from '#store/directory/directory-master.ts'
import type { DirectoryChange, DirectoryKey } from '#store/directory/directory.ts'
import { rowKey } from '#store/directory/row-key.ts'
import { changesBetween } from './entry-changes.ts'
import { made } from './entry.ts'
import { GROUP_TYPES, groupEntry, groupsDn } from './group-entry.ts'
import type { GroupEntry } from './group-entry.ts'
import { HOME_TIMES } from './ldap-home.ts'
import type { LdapHome } from './ldap-home.ts'
import { NOT_STORABLE, bindService, entryAt, removeEntry, requireFloor } from './line.ts'

/** What is changed within it costs one look. */
const SOON_MS = SECOND_MS
/** Days that begin and end, and groups in groups: everything is looked at again. */
const WHOLE_MS = 10 * MINUTE_MS
/** After a failure. */
const AGAIN_MS = 10 * SECOND_MS
const ROWS_A_TURN = 100

/**
 * Keeps aliases and mailing lists beside their rows as groups that other programs read. They are made of
 * rows and never read as such: what others change in them is written over when a group is made anew.
 */
export class HomeGroups {
  readonly #parts: Parts
  /** As they lie there, by their rows; undefined: that is to be read first. */
  #there: Map<DirectoryKey, DirectoryEntry> | undefined
  /** Which groups were made of something. */
  readonly #usedIn = new Map<string, Set<DirectoryKey>>()
  #touched: Set<DirectoryKey> | 'all' = 'all'
  #cancel: (() => void) | undefined
  #cancelWhole: () => void
  #working: Promise<void> = Promise.resolve()
  #isClosed = false
  readonly #deafen: () => void
  /** Why they are not as they should be. */
  error: string | undefined

  constructor(parts: Parts) {
    this.#parts = parts
    this.#deafen = parts.directory.onChange((changes) => this.#note(changes))
    this.#cancelWhole = parts.clock.after(WHOLE_MS, this.#again)
    this.#soon(SOON_MS)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#deafen()
    this.#cancel?.()
    this.#cancelWhole()
    await this.#working
  }

  #note(changes: readonly DirectoryChange[]): void {
    if (changes.length === 0) this.#touched = 'all'
    for (const { key, row } of changes) {
      if (this.#touched === 'all') break
      for (const group of this.#groupsOf(key, row)) this.#touched.add(group)
    }
    if (this.#touched === 'all' || this.#touched.size > 0) this.#soon(SOON_MS)
  }

  /** Groups that a change may concern. */
  *#groupsOf(key: DirectoryKey, row: DirectoryChange['row']): Generator<DirectoryKey> {
    if (key.startsWith('alias:')) {
      yield key
      yield* this.#usedIn.get(key.slice('alias:'.length)) ?? []
    } else if (key.startsWith('list:')) yield key
    else if (key.startsWith('member:')) yield `list:${key.split(':')[1]}`
    else if (key.startsWith('account:')) {
      yield* this.#usedIn.get(key) ?? []
      const { directory } = this.#parts.directory
      if (row?.kind !== 'account') return
      for (const used of [mainAddressOf(row.account), ...row.account.addresses].map(addressKey))
        yield* this.#usedIn.get(used) ?? []
      for (const { list } of directory.listsOf(row.account.id)) yield `list:${list}`
    }
  }

  readonly #again = (): void => {
    this.#touched = 'all'
    this.#cancelWhole = this.#parts.clock.after(WHOLE_MS, this.#again)
    this.#soon(SOON_MS)
  }

  #soon(delayMs: number): void {
    if (this.#isClosed) return
    this.#cancel ??= this.#parts.clock.after(delayMs, () => {
      this.#cancel = undefined
      this.#working = this.#working.then(() => this.#write())
    })
  }

  /** Never rejects. */
  async #write(): Promise<void> {
    const { home, clock } = this.#parts
    this.#refused = undefined
    const touched = this.#touched
    this.#touched = new Set()
    let connection: LdapConnection | undefined
    try {
      connection = await LdapConnection.open(home.place.provider, { clock, times: HOME_TIMES })
      await bindService(connection, home.place.bind)
      // One of an older backup is left as it is: whatever is written there would hide that.
      await requireFloor(connection, home.place.base, home.floor)
      const strangers = this.#there === undefined ? await this.#read(connection) : new Map()
      for (const key of touched === 'all' ? this.#all() : touched) {
        if (this.#isClosed) return
        await this.#writeOne(connection, key, strangers)
      }
      for (const dn of strangers.keys()) await removeEntry(connection, dn)
      this.#tell(this.#refused)
    } catch (thrown) {
      this.#tell(messageOf(thrown))
      this.#there = undefined
      this.#touched = 'all'
      this.#soon(AGAIN_MS)
    } finally {
      connection?.close()
    }
  }

  #tell(error: string | undefined): void {
    if (error !== undefined && error !== this.error)
      this.#parts.trouble.warn('directory.homeGroupsNotWritten', { error })
    this.error = error
  }

  /** What lies there, by its name: whatever is not asked for again is of no group any more. */
  async #read(connection: LdapConnection): Promise<Map<string, DirectoryEntry>> {
    const found = new Map<string, DirectoryEntry>()
    const ask = {
      base: groupsDn(this.#parts.home.place.base),
      scope: 'one',
      filter: { kind: 'present', type: 'objectClass' },
      attributes: ['*'],
    } as const
    if ((await entryAt(connection, ask.base)) === undefined) {
      const entry = made(ask.base, { objectClass: ['organizationalUnit'], ou: ['groups'] })
      const { result } = await connection.ask({ op: 'add', ...entry })
      if (result.code !== 0) throw resultFault(connection.server, result)
    } else
      for await (const entry of search(connection, ask)) found.set(entry.dn.toLowerCase(), entry)
    this.#there = new Map()
    return found
  }

  /** Rows that are groups; those that are no more, too. */
  *#all(): Generator<DirectoryKey> {
    const { directory } = this.#parts.directory
    yield* this.#there!.keys()
    for (const alias of directory.aliases()) yield rowKey({ kind: 'alias', alias })
    for (const list of directory.lists()) yield rowKey({ kind: 'list', list })
  }

  #turns = 0
  /** The first that the server cannot hold; the others are written. */
  #refused: string | undefined

  async #writeOne(
    connection: LdapConnection,
    key: DirectoryKey,
    strangers: Map<string, DirectoryEntry>,
  ): Promise<void> {
    if (++this.#turns % ROWS_A_TURN === 0) await turn()
    const { home, directory, clock } = this.#parts
    const there = this.#there!
    const group = await groupEntry(key, {
      directory: directory.directory,
      base: home.place.base,
      atMs: clock.nowMs(),
    })
    const name = group?.entry.dn.toLowerCase() ?? ''
    const before = there.get(key) ?? strangers.get(name)
    strangers.delete(name)
    this.#uses(key, group)
    if (before !== undefined && before.dn.toLowerCase() !== name) {
      await removeEntry(connection, before.dn)
      there.delete(key)
    }
    if (group === undefined) return
    const result = await putGroup(
      connection,
      group.entry,
      before?.dn.toLowerCase() === name ? before : undefined,
    )
    if (result.code === 0) there.set(key, group.entry)
    else if (NOT_STORABLE.has(result.code))
      this.#refused ??= `${group.entry.dn}: ${resultFault(connection.server, result).message}`
    else throw resultFault(connection.server, result)
  }

  #uses(key: DirectoryKey, group: GroupEntry | undefined): void {
    for (const used of group?.madeOf ?? []) {
      const groups = this.#usedIn.get(used)
      if (groups === undefined) this.#usedIn.set(used, new Set([key]))
      else groups.add(key)
    }
  }
}

interface Parts {
  readonly home: LdapHome
  readonly directory: DirectoryMaster
  readonly clock: Clock
  readonly trouble: Log
}

async function putGroup(
  connection: LdapConnection,
  wanted: DirectoryEntry,
  before: DirectoryEntry | undefined,
): Promise<LdapResult> {
  if (before !== undefined) {
    const changes = changesBetween(before, wanted, GROUP_TYPES)
    if (changes.length === 0) return OK
    const { result } = await connection.ask({ op: 'modify', dn: wanted.dn, changes })
    if (result.code === 0) return result
    // It is not as it was believed to be: made anew.
    if (result.code !== NO_SUCH_OBJECT) await removeEntry(connection, wanted.dn)
  }
  return (await connection.ask({ op: 'add', ...wanted })).result
}

const OK: LdapResult = { code: 0, matchedDn: '', message: '', referrals: [] }
