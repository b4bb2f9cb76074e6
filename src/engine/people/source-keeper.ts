import { timedId } from '#base/id.ts'
import type { Log } from '#base/log.ts'
import { isFault, messageOf, ok } from '#base/outcome.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { HostHealth, LdapHosts } from '#client/ldap/hosts.ts'
import type { AccountId } from '#model/account.ts'
import type { CensusException } from '#model/person.ts'
import type { DirectorySource } from '#model/source.ts'
import type { DirectoryMaster } from '#store/directory/directory-master.ts'
import { hostsOf, readSource } from './read-source.ts'
import { gather, planSources } from './sources.ts'
import type { Gathered, SourceNote, SourceReading } from './sources.ts'

/** A source is read anew after this. */
const EVERY_MS = 30 * SECOND_MS
/** Accounts of one write: whoever else changes the directory comes in between. */
const ACCOUNTS_AT_ONCE = 500
/** A source that has lost more than this share of its people at once is held. */
const SHRINK_MAX = 0.2
/** Fewer than these may all go at once. */
const SHRINK_MIN = 10

/** How a source is. */
export interface SourceState {
  readonly name: string
  /** `held`: it has lost so many people at once that somebody has to say that it is meant. */
  readonly state: 'unread' | 'well' | 'away' | 'held'
  /** When it was read last, and how many people it had. */
  readonly readAtMs?: number
  readonly people?: number
  readonly error?: string
  readonly hosts: readonly HostHealth[]
  /** What of it is not taken, and why. */
  readonly notes: readonly CensusException[]
}

interface Kept {
  readonly source: DirectorySource
  readonly hosts: LdapHosts
  reading?: SourceReading
  state: SourceState['state']
  readAtMs?: number
  error?: string
  exceptions: readonly CensusException[]
  notes: readonly SourceNote[]
  /** Taken as it is, however few are left. */
  isAccepted: boolean
  /** Readings of one source follow one another. */
  rounds: Promise<void>
  cancel: () => void
}

/**
 * Reads every source of the directory again and again, and makes accounts what they say. What was read
 * last stands while a source is away, on the disk as rows of the directory like all others.
 */
export class SourceKeeper {
  readonly #directory: DirectoryMaster
  readonly #clock: Clock
  readonly #log: Log
  readonly #kept = new Map<string, Kept>()
  #applying: Promise<void> = Promise.resolve()
  readonly #unsubscribe: () => void

  constructor(parts: {
    readonly directory: DirectoryMaster
    readonly clock: Clock
    readonly log: Log
  }) {
    this.#directory = parts.directory
    this.#clock = parts.clock
    this.#log = parts.log
    this.#unsubscribe = parts.directory.onChange((changes) => {
      if (changes.length === 0 || changes.some(({ key }) => key.startsWith('source:')))
        this.#follow()
    })
    this.#follow()
  }

  states(): readonly SourceState[] {
    return [...this.#kept.values()]
      .toSorted((a, b) => a.source.order - b.source.order)
      .map(({ source, hosts, state, readAtMs, reading, error, exceptions, notes }) => ({
        name: source.name,
        state,
        ...(readAtMs !== undefined && { readAtMs }),
        ...(reading !== undefined && { people: reading.people.size }),
        ...(error !== undefined && { error }),
        hosts: hosts.health(),
        notes: [...exceptions, ...notes.map(({ dn, text }) => ({ source: dn, text }))],
      }))
  }

  /** What the sources said last, for whoever wants to know who said what. */
  readings(): readonly SourceReading[] {
    return [...this.#kept.values()].flatMap(({ reading }) => reading ?? [])
  }

  /** Reads a source now; `accept`: however many people it has lost. False: there is none of that name. */
  async read(name: string, { accept = false } = {}): Promise<boolean> {
    const kept = this.#kept.get(name)
    if (kept === undefined) return false
    kept.isAccepted ||= accept
    await this.#next(kept)
    return true
  }

  async close(): Promise<void> {
    this.#unsubscribe()
    for (const name of this.#kept.keys()) this.#drop(name)
    await this.#applying
  }

  /** Begins with sources that are new, and ends with those that are changed or gone. */
  #follow(): void {
    const sources = this.#directory.directory.sources()
    for (const [name, { source }] of this.#kept) if (!sources.includes(source)) this.#drop(name)
    for (const source of sources) {
      if (this.#kept.has(source.name)) continue
      const kept: Kept = {
        source,
        hosts: hostsOf(source, this.#clock),
        state: 'unread',
        exceptions: [],
        notes: [],
        isAccepted: false,
        rounds: Promise.resolve(),
        cancel: () => undefined,
      }
      this.#kept.set(source.name, kept)
      void this.#next(kept)
    }
  }

  #drop(name: string): void {
    const kept = this.#kept.get(name)
    this.#kept.delete(name)
    kept?.cancel()
    kept?.hosts.close()
  }

  /** Never rejects. */
  #next(kept: Kept): Promise<void> {
    kept.cancel()
    kept.rounds = kept.rounds.then(() => this.#round(kept))
    return kept.rounds
  }

  /** Never rejects. */
  async #round(kept: Kept): Promise<void> {
    const { source } = kept
    try {
      const { people, exceptions } = await readSource(source, kept.hosts)
      if (this.#kept.get(source.name) !== kept) return
      kept.exceptions = exceptions
      kept.readAtMs = this.#clock.nowMs()
      const lost = this.#lost(source, people)
      if (lost !== undefined && !kept.isAccepted) {
        if (kept.state !== 'held')
          this.#log.error('directory.sourceShrank', { source: source.name, error: lost })
        kept.state = 'held'
        kept.error = lost
      } else {
        kept.reading = { source, people }
        kept.state = 'well'
        kept.isAccepted = false
        delete kept.error
        this.#applying = this.#applying.then(() => this.#apply())
        await this.#applying
      }
    } catch (thrown) {
      if (this.#kept.get(source.name) !== kept) return
      if (!isFault(thrown))
        this.#log.error('directory.sourceFailed', { source: source.name, error: messageOf(thrown) })
      if (kept.state !== 'away')
        this.#log.warn('directory.sourceAway', { source: source.name, error: messageOf(thrown) })
      kept.state = 'away'
      kept.error = messageOf(thrown)
    }
    if (this.#kept.get(source.name) !== kept) return
    kept.cancel()
    kept.cancel = this.#clock.after(EVERY_MS, () => void this.#next(kept))
  }

  /** How many people would be gone, where those are too many at once. */
  #lost(source: DirectorySource, people: ReadonlyMap<string, unknown>): string | undefined {
    let before = 0
    let gone = 0
    for (const { origins = [], isGone } of this.#directory.directory.accounts())
      for (const origin of isGone === true ? [] : origins)
        // Who is known by another attribute than before is found by the address.
        if (
          origin.source === source.name &&
          origin.key.startsWith(`${source.key.toLowerCase()}=`)
        ) {
          before++
          if (!people.has(origin.key)) gone++
        }
    if (gone < SHRINK_MIN || gone <= before * SHRINK_MAX) return undefined
    return `${gone} of ${before} people would be gone; nothing of it is done`
  }

  /** Never rejects. */
  async #apply(): Promise<void> {
    try {
      const people = gather(this.#directory.directory, this.readings())
      const notes: SourceNote[] = []
      for (let at = 0; at < people.length; at += ACCOUNTS_AT_ONCE)
        notes.push(...(await this.#write(people.slice(at, at + ACCOUNTS_AT_ONCE))))
      for (const kept of this.#kept.values())
        kept.notes = notes.filter(({ source }) => source === kept.source.name)
    } catch (thrown) {
      // A disk that takes nothing just now: the next round tries again.
      this.#log.error('directory.sourcesNotTaken', { error: messageOf(thrown) })
    }
  }

  async #write(people: readonly Gathered[]): Promise<readonly SourceNote[]> {
    const newId = (): AccountId => timedId(this.#clock.nowMs()) as AccountId
    const ahead = planSources(this.#directory.directory, people, newId)
    if (ahead.edits.length === 0) return ahead.notes
    let { notes } = ahead
    // Planned anew when it is this write's turn: what others wrote meanwhile counts.
    const done = await this.#directory.update(() => {
      const plan = planSources(this.#directory.directory, people, newId)
      ;({ notes } = plan)
      return ok(plan.edits)
    }, BY)
    if (!done.ok) this.#log.error('directory.sourcesRefused', { error: done.error.message })
    return notes
  }
}

const BY = { who: 'watari', from: 'directory sources' } as const
