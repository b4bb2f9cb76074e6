import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isFault } from '#base/outcome.ts'
import { ioFault } from '#store/db/fault.ts'
import { setBit, emptyBits } from './bits.ts'
import type { Bits } from './bits.ts'
import type { IndexGap } from './search-index.ts'
import { Segment } from './segment.ts'

/** A segment with the numbers that it covers, from `from` to before `to`. */
export interface SegmentPlace {
  readonly from: number
  readonly to: number
  readonly path: string
  readonly sizeBytes: number
}

const nameOf = (from: number, to: number): string => `${from.toString(36)}-${to.toString(36)}.fts`

function placeOf(dir: string, name: string): SegmentPlace | undefined {
  const match = /^([0-9a-z]{1,11})-([0-9a-z]{1,11})\.fts$/.exec(name)
  if (match === null) return undefined
  const path = join(dir, name)
  const from = Number.parseInt(match[1]!, 36)
  const to = Number.parseInt(match[2]!, 36)
  return { from, to, path, sizeBytes: statSync(path).size }
}

/** Names in a folder; none where there is no such folder. Throws Fault `io`. */
export function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch (thrown) {
    if ((thrown as { code?: unknown }).code === 'ENOENT') return []
    throw ioFault(thrown, dir)
  }
}

/** The segments of an account by their names, those left out that a merge has outlived. Throws Fault `io`. */
export function segmentPlaces(dir: string): SegmentPlace[] {
  const places = namesIn(dir).flatMap((name) => placeOf(dir, name) ?? [])
  const sorted = places.toSorted((a, b) => a.from - b.from || b.to - a.to)
  const kept: SegmentPlace[] = []
  for (const place of sorted) if (place.to > (kept.at(-1)?.to ?? 0)) kept.push(place)
  return kept
}

/** The first numbers that no segment covers. */
export function gapOf(places: readonly Pick<SegmentPlace, 'from' | 'to'>[]): IndexGap {
  let from = 0
  for (const place of places) {
    if (place.from > from) return { from, to: place.from }
    from = Math.max(from, place.to)
  }
  return { from }
}

interface Entry extends SegmentPlace {
  readonly segment: Segment
  /** Documents whose emails are no more. */
  dead?: Bits
  deadCount: number
  users: number
  isRetired: boolean
}

/** The open segments of one account. */
export class AccountIndex {
  readonly dir: string
  #entries: Entry[] = []
  /** Set while one of its segments is being rewritten. */
  isMerging = false

  /** What is damaged or of another version is deleted: it leaves a gap. Throws Fault `io`. */
  constructor(dir: string) {
    this.dir = dir
    try {
      const places = segmentPlaces(dir)
      const kept = new Set(places.map(({ path }) => path))
      for (const name of namesIn(dir)) {
        const path = join(dir, name)
        if (!kept.has(path)) rmSync(path, { force: true })
      }
      for (const place of places) this.#open(place)
    } catch (thrown) {
      this.close()
      throw ioFault(thrown, dir)
    }
  }

  #open(place: Omit<SegmentPlace, 'sizeBytes'>): void {
    let segment: Segment
    try {
      segment = new Segment(place.path)
    } catch (thrown) {
      if (!isFault(thrown, 'corrupt')) throw thrown
      rmSync(place.path, { force: true })
      return
    }
    const entry = { ...place, sizeBytes: segment.sizeBytes, segment }
    this.#entries.push({ ...entry, deadCount: 0, users: 0, isRetired: false })
    this.#entries.sort((a, b) => a.from - b.from)
  }

  get gap(): IndexGap {
    return gapOf(this.#entries)
  }

  /** Forgets segments whose files somebody has deleted meanwhile: their numbers are indexed again. */
  noticeDeleted(): void {
    for (const entry of this.#entries)
      if (statSync(entry.path, { throwIfNoEntry: false }) === undefined) this.#retire(entry)
    this.#entries = this.#entries.filter(({ isRetired }) => !isRetired)
  }

  get isUsed(): boolean {
    return this.isMerging || this.#entries.some(({ users }) => users > 0)
  }

  /** Throws Fault `io`, `full`. */
  makeDir(): void {
    try {
      mkdirSync(this.dir, { recursive: true, mode: 0o700 })
    } catch (thrown) {
      throw ioFault(thrown, this.dir)
    }
  }

  pathFor(from: number, to: number): string {
    return join(this.dir, nameOf(from, to))
  }

  /** A segment that was just written. */
  opened(from: number, to: number): void {
    this.#open({ from, to, path: this.pathFor(from, to) })
  }

  /** Segments that stay readable until `release`, in order. */
  acquire(): readonly Entry[] {
    const entries = [...this.#entries]
    for (const entry of entries) entry.users++
    return entries
  }

  release(entries: readonly Entry[]): void {
    for (const entry of entries) {
      entry.users--
      this.#closeRetired(entry)
    }
  }

  /** Puts one segment, already written, in the place of some that followed one another. */
  replace(old: readonly Entry[], from: number, to: number): void {
    const gone = new Set(old)
    this.#entries = this.#entries.filter((entry) => !gone.has(entry))
    for (const entry of old) {
      if (entry.path !== this.pathFor(from, to)) rmSync(entry.path, { force: true })
      this.#retire(entry)
    }
    this.opened(from, to)
  }

  /** Drops a segment that is damaged: its numbers are indexed again. */
  drop(entry: Entry): void {
    this.#entries = this.#entries.filter((other) => other !== entry)
    rmSync(entry.path, { force: true })
    this.#retire(entry)
  }

  #retire(entry: Entry): void {
    entry.isRetired = true
    this.#closeRetired(entry)
  }

  #closeRetired(entry: Entry): void {
    if (entry.isRetired && entry.users === 0) entry.segment.close()
  }

  /** Marks what is not among the emails, of those in the range; returns how many are dead in all. */
  keep(
    emailNumbers: Uint32Array,
    { from, to }: { readonly from: number; readonly to: number },
  ): number {
    let dead = 0
    let at = 0
    for (const entry of this.#entries) {
      const { emails } = entry.segment.index
      for (const [document, email] of emails.entries()) {
        if (email < from) continue
        if (email >= to) break
        while (at < emailNumbers.length && emailNumbers[at]! < email) at++
        if (emailNumbers[at] === email) continue
        entry.dead ??= emptyBits(emails.length)
        const word = entry.dead[document >>> 5]!
        setBit(entry.dead, document)
        if (entry.dead[document >>> 5] !== word) entry.deadCount++
      }
      dead += entry.deadCount
    }
    return dead
  }

  close(): void {
    for (const entry of this.#entries.splice(0)) this.#retire(entry)
  }
}

export type SegmentEntry = Entry

const MERGE_SEGMENTS_MIN = 6
/** A segment joins a merge unless it is so many times as large as all newer ones together. */
const MERGE_FACTOR = 2
/** Dead documents of a segment that make it worth while to write it anew: one of so many. */
const DEAD_SHARE = 16

/** Segments that should become one: many small ones, or one with much that is dead. */
export function mergeOf(entries: readonly SegmentEntry[]): readonly SegmentEntry[] | undefined {
  const dead = entries.find(({ deadCount, segment }) => deadCount * DEAD_SHARE > segment.count)
  if (dead !== undefined) return [dead]
  let first = entries.length
  let bytes = 0
  while (first > 0) {
    const entry = entries[first - 1]!
    const isNext = first === entries.length || entry.to === entries[first]!.from
    const isLarge = bytes > 0 && entry.sizeBytes > bytes * MERGE_FACTOR
    if (!isNext || isLarge) break
    bytes += entry.sizeBytes
    first--
  }
  return entries.length - first >= MERGE_SEGMENTS_MIN ? entries.slice(first) : undefined
}
