import type { Log } from '#base/log.ts'
import { isFault, messageOf, ok } from '#base/outcome.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { LdapHosts } from '#client/ldap/hosts.ts'
import type { AccountId } from '#model/account.ts'
import { isInFrom, memberKey } from '#model/list-member.ts'
import type { FilterTrouble, ListMember } from '#model/list-member.ts'
import { ALL_PEOPLE } from '#model/list-words.ts'
import type { DirectorySource } from '#model/source.ts'
import type { DirectoryChange } from '#store/directory/directory.ts'
import type { DirectoryMaster } from '#store/directory/directory-master.ts'
import { NAMED_MAX, askAccounts, askFilter } from './filter-ask.ts'
import type { FilterRef } from './filter-ask.ts'
import { hostsOf } from './read-source.ts'
import { ShrinkGuard } from './shrink-guard.ts'

/** What no news told of: attributes that are not read, servers that tell none. */
const EVERY_MS = 5 * MINUTE_MS
const RETRY_MS = 30 * SECOND_MS
/** Changes come many at once: they are waited for. */
const GATHER_MS = 2 * SECOND_MS
/** Owners hear nothing of a server that starts anew. */
const AWAY_AFTER_MS = 2 * MINUTE_MS
/** That it is so still is written then. */
const CONFIRM_MS = 12 * HOUR_MS
/** Each change of a filter's row holds all whom it names: large ones are written less often. */
const WRITE_MS_EACH = 50
/** A look through all accounts takes so much of the time at most. */
const LOOK_SHARE = 20
const TROUBLE_LENGTH_MAX = 200

/** A filter that is a member of a list. */
interface Filtered {
  readonly row: ListMember
  readonly ref: FilterRef
  readonly guard: ShrinkGuard
  /** When it may be written again, of the clock that only grows. */
  writeFromMs: number
  /** Since when nobody answers for it. */
  awaySinceMs?: number
}

/** Where filters are asked: a source, or our own directory. */
interface Asked {
  hosts?: Pick<LdapHosts, 'inTurn' | 'close'>
  source?: DirectorySource
  cancel?: () => void
  dueMs: number
  running?: Promise<void>
  isAccepted?: true
}

type Found = readonly AccountId[] | Omit<FilterTrouble, 'since'>

/**
 * Keeps whom the filters among members of lists name, in their rows: asked again from time to time, when
 * their source has news, and for our own directory when people change. A source that does not answer, or
 * names far fewer than before, changes nobody; the row says why.
 */
export class ListFilters {
  readonly #directory: DirectoryMaster
  readonly #clock: Clock
  readonly #log: Log
  readonly #hostsOf: typeof hostsOf
  readonly #filters = new Map<string, Filtered>()
  readonly #asked = new Map<string, Asked>()
  readonly #unsubscribe: () => void
  #lookedMs = 0
  #isClosed = false

  constructor(parts: {
    readonly directory: DirectoryMaster
    readonly clock: Clock
    readonly log: Log
    readonly hostsOf?: (
      source: DirectorySource,
      clock: Clock,
    ) => Pick<LdapHosts, 'inTurn' | 'close'>
  }) {
    this.#directory = parts.directory
    this.#clock = parts.clock
    this.#log = parts.log
    this.#hostsOf = (parts.hostsOf ?? hostsOf) as typeof hostsOf
    this.#unsubscribe = parts.directory.onChange((changes) => this.#changed(changes))
    this.#find()
  }

  /** People of this source have changed, and are written. */
  readonly news = (source: string): void => this.#wake(source, GATHER_MS)

  /** Asks a source, or `ALL_PEOPLE`, now; `accept`: however few are left. */
  async ask(source: string, { accept = false } = {}): Promise<void> {
    const asked = this.#asked.get(source)
    if (asked === undefined) return
    await asked.running
    if (accept) asked.isAccepted = true
    asked.cancel?.()
    await this.#run(source, asked)
  }

  /** Resolves when what is being asked just now is taken. */
  async settled(): Promise<void> {
    for (const { running } of this.#asked.values()) await running
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#unsubscribe()
    for (const asked of this.#asked.values()) {
      asked.cancel?.()
      asked.hosts?.close()
    }
    await this.settled()
  }

  #changed(changes: readonly DirectoryChange[]): void {
    const isOfFilters = ({ key }: DirectoryChange): boolean =>
      (key.startsWith('member:') && key.includes('filter:')) || key.startsWith('source:')
    if (changes.length === 0 || changes.some(isOfFilters)) this.#find()
    if (this.#asked.has(ALL_PEOPLE) && changes.some(({ key }) => key.startsWith('account:')))
      this.#wake(ALL_PEOPLE, Math.max(GATHER_MS, this.#lookedMs * LOOK_SHARE))
  }

  /** Those that are members now, or will be. */
  #find(): void {
    const { directory } = this.#directory
    const found = new Set<string>()
    for (const { id } of directory.lists())
      for (const row of directory.membersOfMany(id)) {
        const { who } = row
        if (who.kind !== 'filter' || !isInFrom(row.terms, this.#clock.nowMs())) continue
        const key = `${id} ${memberKey(row)}`
        found.add(key)
        const known = this.#filters.get(key)
        if (known === undefined) {
          const guard = new ShrinkGuard(this.#clock, 'members')
          this.#filters.set(key, { row, ref: who, guard, writeFromMs: 0 })
          this.#wake(who.source, 0)
        }
      }
    for (const key of this.#filters.keys()) if (!found.has(key)) this.#filters.delete(key)
    for (const [name, asked] of this.#asked) {
      const source = directory.source(name)
      if (asked.source === source && this.#of(name).length > 0) continue
      asked.hosts?.close()
      delete asked.hosts
      if (this.#of(name).length > 0 && (source !== undefined || name === ALL_PEOPLE)) {
        if (source !== undefined) asked.source = source
        this.#wake(name, 0)
      } else {
        asked.cancel?.()
        this.#asked.delete(name)
      }
    }
  }

  #of(source: string): readonly Filtered[] {
    return [...this.#filters.values()].filter(({ ref }) => ref.source === source)
  }

  /** Asks after this, or sooner where that is meant already. */
  #wake(name: string, delayMs: number): void {
    if (this.#isClosed || this.#of(name).length === 0) return
    const dueMs = this.#clock.monotonicMs() + delayMs
    let asked = this.#asked.get(name)
    if (asked === undefined) {
      const source = this.#directory.directory.source(name)
      asked = { dueMs: Infinity, ...(source !== undefined && { source }) }
      this.#asked.set(name, asked)
    }
    if (asked.dueMs <= dueMs) return
    asked.dueMs = dueMs
    asked.cancel?.()
    const at = asked
    asked.cancel = this.#clock.after(delayMs, () => void this.#run(name, at))
  }

  /** One after another for each source; never rejects. */
  #run(name: string, asked: Asked): Promise<void> {
    const before = asked.running ?? Promise.resolve()
    const running = before.then(async () => {
      asked.dueMs = Infinity
      if (this.#isClosed || this.#asked.get(name) !== asked) return
      const isAccepted = asked.isAccepted === true
      delete asked.isAccepted
      try {
        const isWell = await this.#askAll(name, asked, isAccepted)
        this.#wake(name, isWell ? EVERY_MS : RETRY_MS)
      } catch (thrown) {
        this.#log.error('list.filtersFailed', { source: name, error: messageOf(thrown) })
        this.#wake(name, RETRY_MS)
      }
    })
    asked.running = running
    return running
  }

  /** Whether it has answered. */
  async #askAll(name: string, asked: Asked, isAccepted: boolean): Promise<boolean> {
    const filters = this.#of(name)
    if (name === ALL_PEOPLE) {
      const beganMs = this.#clock.monotonicMs()
      const refs = filters.map(({ ref }) => ref)
      const all = await askAccounts(this.#directory.directory.accounts(), refs)
      this.#lookedMs = this.#clock.monotonicMs() - beganMs
      for (const [at, filtered] of filters.entries())
        await this.#take(filtered, all[at] ?? TOO_MANY)
      return true
    }
    const { source } = asked
    if (source === undefined) {
      const text = `there is no source ${name} any more`
      for (const filtered of filters) await this.#take(filtered, { why: 'refused', text })
      return true
    }
    asked.hosts ??= this.#hostsOf(source, this.#clock)
    const answers = new Map<Filtered, Found>()
    try {
      await asked.hosts.inTurn(async (connection) => {
        for (const filtered of filters) {
          if (answers.has(filtered)) continue // of a host that died behind it
          const { ref } = filtered
          try {
            const keys = await askFilter(connection, source, { ref, clock: this.#clock })
            answers.set(filtered, this.#accountsOf(name, keys))
          } catch (thrown) {
            if (!isFault(thrown) || !OF_THE_FILTER.has(thrown.code)) throw thrown
            answers.set(filtered, { why: 'refused', text: thrown.message })
          }
        }
      })
    } catch (thrown) {
      if (!isFault(thrown)) throw thrown
      if (this.#isClosed) return true
      for (const filtered of filters)
        if (!answers.has(filtered)) answers.set(filtered, { why: 'away', text: thrown.message })
    }
    for (const [filtered, found] of answers) await this.#take(filtered, found, isAccepted)
    return [...answers.values()].every((found) => 'length' in found || found.why !== 'away')
  }

  #accountsOf(source: string, keys: readonly string[]): readonly AccountId[] {
    const { directory } = this.#directory
    const ids = keys.flatMap((key) => directory.byOrigin(source, key)?.id ?? [])
    return [...new Set(ids)].toSorted()
  }

  async #take(filtered: Filtered, found: Found, isAccepted = false): Promise<void> {
    const { row, guard } = filtered
    const nowMs = this.#clock.monotonicMs()
    const isAway = 'why' in found && found.why === 'away'
    if (!isAway) delete filtered.awaySinceMs
    else filtered.awaySinceMs ??= nowMs
    const now = this.#directory.directory.member(row.list, memberKey(row))
    if (now === undefined) return
    const isShort = isAway && nowMs - filtered.awaySinceMs! < AWAY_AFTER_MS
    if (isShort && now.resolved !== undefined) return
    if (isAccepted) guard.reset()
    const isNews = !('why' in found) && !isSame(now.resolved, found)
    if (isNews && nowMs < filtered.writeFromMs && !isAccepted)
      return this.#wake(filtered.ref.source, filtered.writeFromMs - nowMs)
    const after = this.#answered(
      now,
      'why' in found || isAccepted ? found : this.#guarded(now, found, filtered),
    )
    if (after === undefined) return
    const count = after.resolved?.accounts.length ?? 0
    filtered.writeFromMs = nowMs + count * WRITE_MS_EACH
    if (after.trouble !== undefined && after.trouble.why !== now.trouble?.why)
      this.#log.warn('list.filterNotTaken', {
        list: row.list,
        filter: memberKey(row),
        why: after.trouble.why,
        error: after.trouble.text,
      })
    const done = await this.#directory.update((directory) => {
      // Owners may have changed how it is a member, or that it is one.
      const is = directory.member(row.list, memberKey(row))
      if (is === undefined) return ok([])
      const { resolved, trouble } = after
      const { resolved: _, trouble: _t, ...rest } = is
      const member = { ...rest, ...(resolved && { resolved }), ...(trouble && { trouble }) }
      return ok([{ kind: 'put', row: { kind: 'member', member } }])
    }, BY)
    if (!done.ok) this.#log.error('list.filterRefused', { error: done.error.message })
  }

  /** Far fewer at once may be a mistake there; what comes into our own directory is guarded before. */
  #guarded({ resolved }: ListMember, ids: readonly AccountId[], { guard, ref }: Filtered): Found {
    if (resolved === undefined || ref.source === ALL_PEOPLE) return ids
    const left = new Set(ids)
    const going = resolved.accounts.filter((id) => !left.has(id)).length
    const refusal = guard.refusal(going, resolved.accounts.length)
    return refusal === undefined ? ids : { why: 'held', text: refusal }
  }

  /** The row with the answer; undefined: that is what it says already. */
  #answered(now: ListMember, found: Found): Pick<ListMember, 'resolved' | 'trouble'> | undefined {
    const { resolved, trouble } = now
    const atMs = this.#clock.nowMs()
    const asOf = new Date(atMs).toISOString()
    if ('why' in found) {
      if (found.why === trouble?.why) return undefined
      const text = found.text.replaceAll(/\s+/g, ' ').slice(0, TROUBLE_LENGTH_MAX)
      return { ...(resolved && { resolved }), trouble: { why: found.why, since: asOf, text } }
    }
    const isFresh = resolved !== undefined && atMs - Date.parse(resolved.asOf) < CONFIRM_MS
    if (isFresh && isSame(resolved, found) && trouble === undefined) return undefined
    return { resolved: { asOf, accounts: found } }
  }
}

const isSame = (resolved: ListMember['resolved'], ids: readonly AccountId[]): boolean =>
  resolved?.accounts.length === ids.length && resolved.accounts.every((id, at) => id === ids[at])

/** What another host of the source would say as well. */
const OF_THE_FILTER: ReadonlySet<string> = new Set(['limit', 'notFound', 'invalid', 'config'])
const TOO_MANY: Found = {
  why: 'refused',
  text: `it names more than ${NAMED_MAX} people; make it narrower`,
}
const BY = { who: 'watari', from: 'filters of lists' } as const
