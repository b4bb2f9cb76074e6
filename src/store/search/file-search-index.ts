import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { Fault, isFault, messageOf } from '#base/outcome.ts'
import { oneLine } from '#base/text.ts'
import type { Clock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import { spaceOf } from '#store/blob/space.ts'
import { AccountIndex, gapOf, mergeOf, namesIn, segmentPlaces } from './account-index.ts'
import { findIn } from './find.ts'
import { Gathering } from './gathering.ts'
import { mergeSegments } from './merge.ts'
import type { IndexStatus, SearchFound, SearchIndex } from './search-index.ts'

export interface SearchIndexOptions {
  /** Holds a folder for each account; made where it is missing. Its lock must be held. */
  readonly dir: string
  readonly clock: Clock
  /** Work without a pause; others get their turn in between. */
  readonly turnMs?: number
  /** Free space under which nothing is indexed. */
  readonly reserveBytes?: number
  /** Told of failures in the background. */
  readonly onTrouble?: (line: string) => void
}

const TURN_MS = 10
/** Accounts whose segments are kept open. */
const OPEN_MAX = 64
interface Opened {
  readonly index: AccountIndex
  gathering?: Gathering
  /** Calls for the account go one after another, but for `find`. */
  tail: Promise<unknown>
  jobs: number
}

/** Segments of postings and texts in files, a folder for each account. For a storage process of its own. */
export class FileSearchIndex implements SearchIndex {
  readonly #options: SearchIndexOptions
  /** Last used last. */
  readonly #opened = new Map<AccountId, Opened>()
  #merging: Promise<void> = Promise.resolve()
  #turnStartMs = 0
  #isClosing = false

  constructor(options: SearchIndexOptions) {
    this.#options = options
  }

  async gaps(ask: Parameters<SearchIndex['gaps']>[0]): ReturnType<SearchIndex['gaps']> {
    const gaps = []
    for (const accountId of ask.accountIds) {
      const opened = this.#opened.get(accountId)
      opened?.index.noticeDeleted()
      if (opened === undefined) gaps.push(gapOf(segmentPlaces(this.#dirOf(accountId))))
      else gaps.push(gapWith(opened))
      await this.#pause()
    }
    return { gaps }
  }

  add(part: Parameters<SearchIndex['add']>[0]): ReturnType<SearchIndex['add']> {
    return this.#inTurn(part.accountId, async (opened) => {
      const gap = gapWith(opened)
      if (part.from !== gap.from || part.to <= part.from) return { taken: false }
      if (gap.to !== undefined && part.to > gap.to) return { taken: false }
      const gathering = (opened.gathering ??= this.#gather(opened.index, part.from))
      try {
        for (const email of part.emails) {
          gathering.take(email)
          await this.#pause()
        }
      } catch (thrown) {
        // Half a part: it comes again whole.
        gathering.abandon()
        delete opened.gathering
        throw thrown
      }
      gathering.to = part.to
      if (gathering.isFull) await this.#write(opened)
      return { taken: true }
    })
  }

  #gather(index: AccountIndex, from: number): Gathering {
    index.makeDir() // first: a folder that somebody has deleted would count as full
    this.#needRoom()
    return new Gathering(join(index.dir, `gathering-${from.toString(36)}`), from)
  }

  flush(ask: { readonly accountId: AccountId }): Promise<void> {
    return this.#inTurn(ask.accountId, (opened) => this.#write(opened))
  }

  async #write(opened: Opened): Promise<void> {
    const { gathering, index } = opened
    if (gathering === undefined) return
    delete opened.gathering
    try {
      gathering.finish(index.pathFor(gathering.from, gathering.to))
    } catch (thrown) {
      gathering.abandon()
      throw thrown
    }
    index.opened(gathering.from, gathering.to)
    await this.#pause()
    this.#mergeLater(opened)
  }

  async find(ask: Parameters<SearchIndex['find']>[0]): Promise<SearchFound> {
    await this.flush(ask).catch((thrown: unknown) => this.#trouble(thrown))
    const { index } = this.#open(ask.accountId)
    const entries = index.acquire()
    try {
      const pause = (): Promise<void> => this.#pause()
      return await findIn({ ...ask, entries, gap: index.gap, clock: this.#options.clock, pause })
    } catch (thrown) {
      if (!isFault(thrown, 'corrupt')) throw thrown
      // Which one it was is in the message; its numbers are indexed anew.
      for (const entry of entries) if (thrown.message.startsWith(entry.path)) index.drop(entry)
      this.#trouble(thrown)
      return { found: new Uint32Array(0), unsure: new Uint32Array(0), upTo: 0 }
    } finally {
      index.release(entries)
    }
  }

  keep(ask: Parameters<SearchIndex['keep']>[0]): ReturnType<SearchIndex['keep']> {
    return this.#inTurn(ask.accountId, async (opened) => {
      const dead = opened.index.keep(ask.emailNumbers, ask)
      if (dead > 0) this.#mergeLater(opened)
      await this.#pause()
      return { dead }
    })
  }

  async accounts(ask: Parameters<SearchIndex['accounts']>[0]): ReturnType<SearchIndex['accounts']> {
    const names = this.#names()
    const from = ask.after === undefined ? 0 : names.indexOf(nameOf(ask.after)) + 1
    const accountIds = names.slice(from, from + ask.limit).map(idOf)
    return { accountIds }
  }

  async forget(ask: { readonly accountId: AccountId }): Promise<void> {
    await this.#inTurn(ask.accountId, async (opened) => {
      opened.gathering?.abandon()
      delete opened.gathering
      while (opened.index.isMerging) await this.#merging
      opened.index.close()
      this.#opened.delete(ask.accountId)
      rmSync(opened.index.dir, { recursive: true, force: true })
    })
  }

  async status(): Promise<IndexStatus> {
    let segments = 0
    let bytes = 0
    const names = this.#names()
    for (const name of names) {
      const places = segmentPlaces(this.#dirOf(idOf(name)))
      segments += places.length
      for (const { sizeBytes } of places) bytes += sizeBytes
      await this.#pause()
    }
    return { accounts: names.length, segments, bytes }
  }

  resting(): Promise<boolean> {
    const isBusy = [...this.#opened.values()].some(
      ({ index, gathering }) => index.isUsed || gathering !== undefined,
    )
    return Promise.resolve(!isBusy)
  }

  async close(): Promise<void> {
    this.#isClosing = true
    for (const opened of this.#opened.values()) {
      await opened.tail.catch(() => undefined)
      opened.gathering?.abandon()
    }
    await this.#merging
    for (const { index } of this.#opened.values()) index.close()
    this.#opened.clear()
  }

  #names(): string[] {
    return namesIn(this.#options.dir)
      .filter((name) => name.startsWith('a-'))
      .toSorted()
  }

  #dirOf(accountId: AccountId): string {
    return join(this.#options.dir, nameOf(accountId))
  }

  #open(accountId: AccountId): Opened {
    const opened = this.#opened.get(accountId) ?? {
      index: new AccountIndex(this.#dirOf(accountId)),
      tail: Promise.resolve(),
      jobs: 0,
    }
    this.#opened.delete(accountId)
    this.#opened.set(accountId, opened)
    return opened
  }

  #inTurn<T>(accountId: AccountId, work: (opened: Opened) => Promise<T>): Promise<T> {
    const opened = this.#open(accountId)
    opened.jobs++
    const mine = opened.tail.then(() => work(opened))
    opened.tail = mine
      .catch(() => undefined)
      .then(() => {
        opened.jobs--
        this.#trim()
      })
    return mine
  }

  #trim(): void {
    for (const [accountId, { index, gathering, jobs }] of this.#opened) {
      if (this.#opened.size <= OPEN_MAX) return
      if (index.isUsed || gathering !== undefined || jobs > 0) continue
      index.close()
      this.#opened.delete(accountId)
    }
  }

  /** One merge at a time, and none for an account of which one waits. */
  #mergeLater(opened: Opened): void {
    const { index } = opened
    if (index.isMerging || this.#isClosing) return
    index.isMerging = true
    this.#merging = this.#merging.then(async () => {
      try {
        while (await this.#merge(index));
      } catch (thrown) {
        if (!this.#isClosing) this.#trouble(thrown)
      } finally {
        index.isMerging = false
      }
    })
  }

  /** True where there may be more to merge. */
  async #merge(index: AccountIndex): Promise<boolean> {
    const entries = index.acquire()
    try {
      const inputs = mergeOf(entries)
      if (inputs === undefined || this.#isClosing) return false
      this.#needRoom()
      const [from, to] = [inputs[0]!.from, inputs.at(-1)!.to]
      const path = index.pathFor(from, to)
      await mergeSegments(inputs, path, async () => {
        await this.#pause()
        if (this.#isClosing) throw new Error('closing')
      })
      index.replace(inputs, from, to)
      return true
    } catch (thrown) {
      if (isFault(thrown, 'corrupt'))
        for (const entry of entries) if (thrown.message.startsWith(entry.path)) index.drop(entry)
      throw thrown
    } finally {
      index.release(entries)
    }
  }

  /** Mail needs the room more than its index does. */
  #needRoom(): void {
    const { dir, reserveBytes } = this.#options
    const { freeBytes, full } = spaceOf(dir, reserveBytes)
    if (full) throw new Fault('full', `search: only ${freeBytes} octets are free`)
  }

  #trouble(thrown: unknown): void {
    this.#options.onTrouble?.(`search: ${oneLine(messageOf(thrown))}`)
  }

  /** Lets others have their turn where this one has been long. */
  async #pause(): Promise<void> {
    const { clock, turnMs = TURN_MS } = this.#options
    if (clock.monotonicMs() - this.#turnStartMs < turnMs) return
    await new Promise((resolve) => setImmediate(resolve))
    this.#turnStartMs = clock.monotonicMs()
  }
}

const gapWith = ({ index, gathering }: Opened): { from: number; to?: number } =>
  gathering === undefined ? index.gap : { ...index.gap, from: gathering.to }

const nameOf = (accountId: AccountId): string => `a-${Buffer.from(accountId).toString('base64url')}`
const idOf = (name: string): AccountId =>
  Buffer.from(name.slice(2), 'base64url').toString() as AccountId
