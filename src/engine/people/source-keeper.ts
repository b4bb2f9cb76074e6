import type { Log } from '#base/log.ts'
import { isFault, messageOf } from '#base/outcome.ts'
import { MINUTE_MS, SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { csnVector, emptyCsns, isBehind } from '#codec/ldap/csn.ts'
import type { CsnVector } from '#codec/ldap/csn.ts'
import type { CensusException } from '#model/person.ts'
import type { DirectorySource } from '#model/source.ts'
import type { DirectoryMaster } from '#store/directory/directory-master.ts'
import type { SourceShelf } from '#store/directory/source-shelf.ts'
import type { SourceReading } from './gather.ts'
import { KeptCopy } from './kept-copy.ts'
import type { TakeNews } from './news-batch.ts'
import { OthersChanges } from './others-changes.ts'
import { PEOPLE_MAX } from './read-source.ts'
import { SourceCopy } from './source-copy.ts'
import type { CopiedEntry } from './copied-entry.ts'
import { SourceFollower } from './source-follower.ts'
import type { SourceHost } from './source-follower.ts'
import { floorsOf } from './source-floors.ts'
import { SourceLosses } from './source-losses.ts'
import { SourceWriter } from './source-writer.ts'
import type { SourceNote } from './sources.ts'

/** More entries than these concern everybody. */
const SOME_MAX = 20_000
/** Everybody is looked at again after this, whatever was told: what could not be taken may be free by then. */
const WHOLE_MS = 10 * MINUTE_MS
/** After a write that has failed everybody is looked at again so soon. */
const AGAIN_MS = 30 * SECOND_MS

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
  readonly losses: SourceLosses
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
  readonly #others: OthersChanges
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
        this.#cancelWhole = this.#clock.after(AGAIN_MS, this.#again)
      },
    })
    this.#others = new OthersChanges(parts.clock, (touched) => {
      void this.#writer.apply(touched === 'all' ? touched : [...touched, ...this.#writer.noted()])
    })
    this.#unsubscribe = parts.directory.onChange((changes) => {
      const theirs = this.#writer.note(changes)
      if (changes.length === 0 || changes.some(({ key }) => key.startsWith('source:')))
        this.#follow()
      if (this.#kept.size > 0) this.#others.note(changes, theirs)
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
    this.#others.stop()
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
    const floors = floorsOf(this.#directory.directory)
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
        losses: new SourceLosses(copy, {
          source,
          directory: this.#directory.directory,
          clock: this.#clock,
          groupKeys: () => this.#writer.groupKeys(source.name),
        }),
        floor,
        state: 'unread',
        notes: new Map(),
        isAccepted: false,
      }
      this.#kept.set(source.name, kept)
    }
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
    const { source, copy, losses } = kept
    if (this.#kept.get(source.name) !== kept) return 'held'
    const isFirst = kept.readAtMs === undefined
    if (isFirst && !kept.isAccepted && csns.size > 0 && isBehind(csns, kept.floor))
      return this.#hold(kept, 'its servers are behind what was read before; nothing of it is done')
    const change = copy.plan(news, csns, { isBelieved: kept.isAccepted })
    if (kept.isAccepted) losses.accept()
    else {
      const refusal = await losses.refusal(change, { isFirst })
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

  readonly #again = (): void => {
    this.#cancelWhole = this.#clock.after(WHOLE_MS, this.#again)
    void this.#writer.apply('all')
  }
}
