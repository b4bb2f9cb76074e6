import type { Log } from '#base/log.ts'
import { isFault, messageOf } from '#base/outcome.ts'
import { MINUTE_MS, SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { csnServer, csnVector, emptyCsns, isBehind } from '#codec/ldap/csn.ts'
import type { CsnVector } from '#codec/ldap/csn.ts'
import type { CensusException } from '#model/person.ts'
import type { DirectorySource } from '#model/source.ts'
import type { DirectoryChange } from '#store/directory/directory.ts'
import type { DirectoryMaster } from '#store/directory/directory-master.ts'
import type { SourceShelf } from '#store/directory/source-shelf.ts'
import type { SourceReading } from './gather.ts'
import type { Touched } from './group-rows.ts'
import { KeptCopy } from './kept-copy.ts'
import type { TakeNews } from './news-batch.ts'
import { PEOPLE_MAX } from './read-source.ts'
import { ShrinkGuard } from './shrink-guard.ts'
import { SourceCopy } from './source-copy.ts'
import type { CopiedEntry, CopyChange } from './source-copy.ts'
import { SourceFollower } from './source-follower.ts'
import type { SourceHost } from './source-follower.ts'
import { SourceWriter } from './source-writer.ts'
import type { SourceNote } from './sources.ts'

/** More entries than these concern everybody. */
const SOME_MAX = 20_000
/** Everybody is looked at again after this, whatever was told: what could not be taken may be free by then. */
const WHOLE_MS = 10 * MINUTE_MS
/** What others change in the directory is looked at after this, all of it at once. */
const OTHERS_MS = 30 * SECOND_MS
/** Others' changes that are looked at one by one. */
const ONE_BY_ONE_MAX = 500

/** How a source is. */
export interface SourceState {
  readonly name: string
  /** `held`: somebody has to say that what it says is meant. */
  readonly state: 'unread' | 'well' | 'away' | 'held'
  /** Whether it tells what changes, or is read again and again. */
  readonly mode?: 'persist' | 'polling'
  /** When it was read last, when it has said something last, and how many people it has. */
  readonly readAtMs?: number
  readonly newsAtMs?: number
  readonly people?: number
  readonly groups?: number
  readonly error?: string
  readonly hosts: readonly SourceHost[]
  /** What of it is not taken, and why. */
  readonly notes: readonly CensusException[]
}

interface Kept {
  readonly source: DirectorySource
  readonly copy: SourceCopy
  readonly disk: KeptCopy | undefined
  readonly follower: SourceFollower
  readonly guard: ShrinkGuard
  readonly groupsGuard: ShrinkGuard
  /** How far it had come by what is on the disk. */
  readonly floor: CsnVector
  state: SourceState['state']
  readAtMs?: number
  error?: string
  /** By the key of whom they are about. */
  notes: Map<string, SourceNote[]>
  /** Taken as it is, however few are left and however old it is. */
  isAccepted: boolean
}

/**
 * Follows every source of the directory, and makes accounts what they say. What was told last stands while
 * a source is away, on the disk as rows of the directory like all others.
 */
export class SourceKeeper {
  readonly #directory: DirectoryMaster
  readonly #clock: Clock
  readonly #log: Log
  readonly #peopleMax: number
  readonly #kept = new Map<string, Kept>()
  readonly #writer: SourceWriter
  readonly #shelf: SourceShelf | undefined
  readonly #news: ((source: string) => void) | undefined
  /** What of sources that were dropped is still to be done. */
  readonly #dropping = new Map<string, Promise<void>>()
  #others: Touched = []
  #cancelOthers: (() => void) | undefined
  #cancelWhole: () => void
  readonly #unsubscribe: () => void

  constructor(parts: {
    readonly directory: DirectoryMaster
    readonly clock: Clock
    readonly log: Log
    readonly peopleMax?: number
    /** Where copies outlive a restart. */
    readonly shelf?: SourceShelf
    /** Called when what a source has told anew is written. */
    readonly news?: (source: string) => void
  }) {
    this.#directory = parts.directory
    this.#clock = parts.clock
    this.#log = parts.log
    this.#peopleMax = parts.peopleMax ?? PEOPLE_MAX
    this.#shelf = parts.shelf
    this.#news = parts.news
    this.#writer = new SourceWriter({
      ...parts,
      sources: () => [...this.#kept.values()].filter(({ readAtMs }) => readAtMs !== undefined),
      failed: () => {
        this.#cancelWhole()
        this.#cancelWhole = this.#clock.after(OTHERS_MS, this.#again)
      },
    })
    this.#unsubscribe = parts.directory.onChange((changes) => {
      const theirs = this.#writer.note(changes)
      if (changes.length === 0 || changes.some(({ key }) => key.startsWith('source:')))
        this.#follow()
      this.#note(changes, theirs)
    })
    this.#cancelWhole = this.#clock.after(WHOLE_MS, this.#again)
    this.#follow()
  }

  states(): readonly SourceState[] {
    return [...this.#kept.values()]
      .toSorted((a, b) => a.source.order - b.source.order)
      .map(({ source, copy, follower, state, readAtMs, error, notes }) => ({
        name: source.name,
        state,
        ...(follower.mode !== undefined && { mode: follower.mode }),
        ...(readAtMs !== undefined && {
          readAtMs,
          people: copy.people.size,
          ...(source.groups === true && { groups: copy.groups.size }),
        }),
        ...(follower.newsAtMs !== undefined && { newsAtMs: follower.newsAtMs }),
        ...(error !== undefined && { error }),
        hosts: follower.hosts(),
        notes: [
          ...copy.exceptions(),
          ...[...notes.values()].flat().map(({ dn, text }) => ({ source: dn, text })),
        ],
      }))
  }

  /** What the sources said last, for whoever wants to know who said what. */
  readings(): readonly SourceReading[] {
    return [...this.#kept.values()].flatMap(({ copy, readAtMs }) =>
      readAtMs === undefined ? [] : copy,
    )
  }

  /**
   * Reads a source whole now; `accept`: however many people it has lost, and however old it is. False:
   * there is none of that name.
   */
  async read(name: string, { accept = false } = {}): Promise<boolean> {
    const kept = this.#kept.get(name)
    if (kept === undefined) return false
    kept.isAccepted ||= accept
    await kept.follower.readNow()
    return true
  }

  async close(): Promise<void> {
    this.#unsubscribe()
    this.#cancelWhole()
    this.#cancelOthers?.()
    for (const name of this.#kept.keys()) this.#drop(name)
    await Promise.all(this.#dropping.values())
    await this.#writer.apply([])
  }

  /** Begins with sources that are new, and ends with those that are changed or gone. */
  #follow(): void {
    const sources = this.#directory.directory.sources()
    for (const [name, { source }] of this.#kept)
      if (!sources.includes(source))
        this.#drop(
          name,
          sources.every((each) => each.name !== name),
        )
    const added = sources.filter(({ name }) => !this.#kept.has(name))
    if (added.length === 0) return
    const floors = this.#floors()
    for (const source of added) {
      const copy = new SourceCopy(source)
      const floor = floors.get(source.name) ?? emptyCsns
      const taker = {
        seen: () => (kept.readAtMs === undefined ? floor : copy.seen),
        isEmpty: () => kept.readAtMs === undefined || kept.isAccepted,
        take: (news, from) => this.#take(kept, news, from),
        failed: (thrown) => this.#failed(kept, thrown),
      } satisfies ConstructorParameters<typeof SourceFollower>[1]['taker']
      const disk = this.#shelf && new KeptCopy(source, { shelf: this.#shelf, log: this.#log })
      const kept: Kept = {
        source,
        copy,
        disk,
        follower: new SourceFollower(source, {
          clock: this.#clock,
          peopleMax: this.#peopleMax,
          taker,
          before: async () => this.#restored(kept, disk),
        }),
        guard: new ShrinkGuard(this.#clock),
        groupsGuard: new ShrinkGuard(this.#clock, 'groups'),
        floor,
        state: 'unread',
        notes: new Map(),
        isAccepted: false,
      }
      this.#kept.set(source.name, kept)
    }
  }

  /** Which changes of each source the rows on the disk are from. */
  #floors(): ReadonlyMap<string, CsnVector> {
    const csns = new Map<string, Map<string, string>>()
    for (const { origins = [], isGone } of this.#directory.directory.accounts())
      for (const { source, csn } of isGone === true ? [] : origins) {
        if (csn === undefined) continue
        let newest = csns.get(source)
        if (newest === undefined) csns.set(source, (newest = new Map()))
        const server = csnServer(csn) ?? ''
        if (csn > (newest.get(server) ?? '')) newest.set(server, csn)
      }
    return new Map([...csns].map(([name, newest]) => [name, csnVector(newest.values())]))
  }

  #drop(name: string, isGone = false): void {
    const kept = this.#kept.get(name)
    if (kept === undefined) return
    this.#kept.delete(name)
    const before = this.#dropping.get(name)
    const done = async (): Promise<void> => {
      await before
      await kept.follower.close()
      await kept.disk?.settled()
      if (isGone) await kept.disk?.forget()
    }
    this.#dropping.set(name, done())
  }

  /** The copy as it was kept before a restart, with the cookies of what it vouches for; never rejects. */
  async #restored(
    kept: Kept,
    disk: KeptCopy | undefined,
  ): Promise<readonly (readonly [host: string, cookie: Uint8Array])[]> {
    const { source, copy } = kept
    await this.#dropping.get(source.name)
    const first = new Map<string, CopiedEntry>()
    const stand = await disk?.load((entries) => {
      for (const entry of entries) first.set(entry.id, entry)
    })
    if (stand === undefined || this.#kept.get(source.name) !== kept) return []
    const puts = [...first.values()]
    const change = { puts, first, gone: [], lost: 0, lostGroups: 0, isBelieved: false }
    copy.take(change, csnVector(stand.seen))
    kept.readAtMs = stand.readAtMs
    // What was taken and not yet written when control ended is written now.
    void this.#writer.apply('all')
    return stand.cookies.map(({ host, base64 }) => [host, Buffer.from(base64, 'base64')])
  }

  /** Never rejects. */
  async #take(
    kept: Kept,
    ...[news, { csns, isRefresh, cookie }]: Parameters<TakeNews>
  ): ReturnType<TakeNews> {
    const { source, copy, guard, groupsGuard } = kept
    if (this.#kept.get(source.name) !== kept) return 'held'
    const isFirst = kept.readAtMs === undefined
    if (isFirst && !kept.isAccepted && csns.size > 0 && isBehind(csns, kept.floor))
      return this.#hold(kept, 'its servers are behind what was read before; nothing of it is done')
    const change = copy.plan(news, csns, { isBelieved: kept.isAccepted })
    if (kept.isAccepted) {
      guard.reset()
      groupsGuard.reset()
    } else {
      const { gone, left } = isFirst
        ? this.#missing(source, peopleOf(change))
        : { gone: change.lost, left: copy.people.size }
      const refusal = guard.refusal(gone, left) ?? (await this.#fewerGroups(kept, change))
      if (refusal !== undefined) return this.#hold(kept, refusal)
    }
    const keys = copy.take(change, csns)
    if (isRefresh) kept.readAtMs = this.#clock.nowMs()
    kept.disk?.save(
      change,
      {
        readAtMs: kept.readAtMs ?? this.#clock.nowMs(),
        seen: [...copy.seen.values()],
        ...(cookie !== undefined && {
          cookie: { host: cookie.host, base64: Buffer.from(cookie.octets).toString('base64') },
        }),
      },
      () => copy.entries(),
    )
    if (kept.state !== 'well') this.#log.info('directory.sourceRead', { source: source.name })
    kept.state = 'well'
    delete kept.error
    const isAll = isFirst || kept.isAccepted || keys === 'everybody' || keys.size > SOME_MAX
    kept.isAccepted = false
    await this.#writer.apply(isAll ? 'all' : [...keys].map((key) => [source.name, key] as const))
    if (change.puts.length + change.gone.length > 0) this.#news?.(source.name)
    return 'taken'
  }

  #hold(kept: Kept, why: string): 'held' {
    if (kept.error !== why)
      this.#log.error('directory.sourceHeld', { source: kept.source.name, error: why })
    kept.state = 'held'
    kept.error = why
    return 'held'
  }

  #failed(kept: Kept, thrown: unknown): void {
    const { source } = kept
    if (this.#kept.get(source.name) !== kept) return
    const error = messageOf(thrown)
    if (isFault(thrown, 'limit')) return void this.#hold(kept, error)
    if (!isFault(thrown)) this.#log.error('directory.sourceFailed', { source: source.name, error })
    if (kept.state !== 'away')
      this.#log.warn('directory.sourceAway', { source: source.name, error })
    kept.state = 'away'
    kept.error = error
  }

  /** How many people the rows on the disk have of a source, and how many of them it has no more. */
  #missing(
    source: DirectorySource,
    people: ReadonlySet<string>,
  ): { readonly gone: number; readonly left: number } {
    let left = 0
    let gone = 0
    for (const { origins = [], isGone } of this.#directory.directory.accounts())
      for (const origin of isGone === true ? [] : origins)
        // Who is known by another attribute than before is found by the address.
        if (
          origin.source === source.name &&
          origin.key.startsWith(`${source.key.toLowerCase()}=`)
        ) {
          left++
          if (!people.has(origin.key)) gone++
        }
    return { gone, left }
  }

  /** What is wrong with as many groups going; of one that has them no more by what is set, all may. */
  async #fewerGroups(
    { source, copy, groupsGuard, readAtMs }: Kept,
    { puts, lostGroups }: CopyChange,
  ): Promise<string | undefined> {
    if (source.groups !== true) return undefined
    if (readAtMs !== undefined) return groupsGuard.refusal(lostGroups, copy.groups.size)
    const told = new Set(puts.flatMap(({ key, group }) => (group === undefined ? [] : (key ?? []))))
    const known = await this.#writer.groupKeys(source.name)
    return groupsGuard.refusal(known.filter((key) => !told.has(key)).length, known.length)
  }

  /** What others have written may let somebody in, or keep somebody out. */
  #note(changes: readonly DirectoryChange[], theirs: readonly DirectoryChange[]): void {
    if (this.#kept.size === 0 || (theirs.length === 0 && changes.length > 0)) return
    const isWide =
      theirs.length === 0 ||
      theirs.length > ONE_BY_ONE_MAX ||
      theirs.some(
        ({ key, row }) => key.startsWith('domain:') || (row === null && key.startsWith('account:')),
      )
    const touched = theirs.flatMap(({ row }) =>
      row?.kind === 'account'
        ? (row.account.origins ?? []).map(({ source, key }) => [source, key] as const)
        : [],
    )
    this.#others = isWide || this.#others === 'all' ? 'all' : [...this.#others, ...touched]
    if (this.#others.length > ONE_BY_ONE_MAX) this.#others = 'all'
    this.#cancelOthers ??= this.#clock.after(OTHERS_MS, () => {
      const all = this.#others
      this.#others = []
      this.#cancelOthers = undefined
      void this.#writer.apply(all === 'all' ? all : [...all, ...this.#writer.noted()])
    })
  }

  readonly #again = (): void => {
    this.#cancelWhole = this.#clock.after(WHOLE_MS, this.#again)
    void this.#writer.apply('all')
  }
}

const peopleOf = ({ puts }: CopyChange): ReadonlySet<string> =>
  new Set(puts.flatMap(({ key, person }) => (key === undefined || person === undefined ? [] : key)))
