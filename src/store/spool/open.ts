import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as immediate } from 'node:timers/promises'
import { failpoint } from '#base/failpoint.ts'
import type { Octets } from '#base/octets.ts'
import { Fault, isFault } from '#base/outcome.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { inSlices } from '#base/turns.ts'
import type { BlobRef, Blobs, LargeHandle } from '#store/blob/blobs.ts'
import { openBlobs } from '#store/blob/open.ts'
import { openDatabase } from '#store/db/database.ts'
import type { Database } from '#store/db/database.ts'
import { ioFault } from '#store/db/fault.ts'
import { GroupCommit } from '#store/db/group-commit.ts'
import { Queue } from './queue.ts'
import type { Change } from './queue.ts'
import { parseQueueId } from './queue-id.ts'
import { SPOOL_MIGRATIONS } from './rows.ts'
import type { Accept, QueueId, QueueMessage, SpoolStore } from './spool-store.ts'

export interface SpoolOptions {
  /** Holds `spool.db`, `seg/` and `large/`; made where it is missing. Its lock must be held. */
  readonly dir: string
  readonly clock: Clock
  /** Free space under which `accept` answers Fault `full`. */
  readonly reserveBytes?: number
  /** Messages that one page of a list looks at. */
  readonly lookedAtMax?: number
}

/** A spool that can be closed, once no call runs any more. */
export type OpenSpool = SpoolStore & { trial(): Promise<void>; close(): Promise<void> }

/** Octets that one `read` may ask for. */
const READ_BYTES_MAX = 1024 * 1024
/** Where none matches, some 50 ms; on a busy machine a quarter of a second. */
const LOOKED_AT_MAX_DEFAULT = 10_000
const COMPACT_EVERY_MS = 10 * SECOND_MS

/** Opens the queue of one node; for a storage process. Throws Fault `version`, `io`, `corrupt`. */
export async function openSpool(options: SpoolOptions): Promise<OpenSpool> {
  try {
    mkdirSync(options.dir, { recursive: true, mode: 0o700 })
  } catch (thrown) {
    throw ioFault(thrown, options.dir)
  }
  const db = openDatabase({
    path: join(options.dir, 'spool.db'),
    kind: 'spool',
    migrations: SPOOL_MIGRATIONS,
    walAhead: true,
  })
  try {
    const large = db
      .query<{ file: number }>('SELECT blob_file AS file FROM message WHERE blob_kind = 1')
      .all()
    const known = new Set(large.map((row) => row.file))
    const blobs = await openBlobs({
      dir: options.dir,
      clock: options.clock,
      name: 'spool',
      knownLarge: (file) => known.has(file),
      ...(options.reserveBytes !== undefined && { reserveBytes: options.reserveBytes }),
    })
    const spool = new SqliteSpool(db, blobs, options)
    await spool.collect()
    return spool
  } catch (thrown) {
    db.close()
    throw thrown
  }
}

/** A message on its way into the queue. */
interface Entering {
  readonly accept: Accept
  ref?: BlobRef
}

class SqliteSpool implements OpenSpool {
  readonly #db: Database
  readonly #blobs: Blobs
  readonly #queue: Queue
  readonly #group: GroupCommit
  readonly #clock: Clock
  readonly #lookedAtMax: number
  #compactedAtMs: number
  #claiming: Promise<void> = Promise.resolve()
  #compacting: Promise<void> = Promise.resolve()

  constructor(db: Database, blobs: Blobs, { clock, lookedAtMax }: SpoolOptions) {
    this.#db = db
    this.#blobs = blobs
    this.#lookedAtMax = lookedAtMax ?? LOOKED_AT_MAX_DEFAULT
    this.#clock = clock
    this.#compactedAtMs = clock.monotonicMs()
    this.#queue = new Queue(db, clock)
    this.#group = new GroupCommit({ db, name: 'spool', flush: () => blobs.flush() })
  }

  async openLarge(): Promise<{ handle: LargeHandle }> {
    this.#needRoom()
    return { handle: await this.#blobs.openLarge() }
  }

  appendLarge(part: Parameters<SpoolStore['appendLarge']>[0]): Promise<void> {
    return this.#blobs.appendLarge(part.handle, part.octets)
  }

  async readLarge(part: Parameters<SpoolStore['readLarge']>[0]): Promise<{ octets: Octets }> {
    return { octets: await this.#blobs.readLarge(part.handle, part.offset, part.length) }
  }

  abortLarge(part: { readonly handle: LargeHandle }): Promise<void> {
    return this.#blobs.abortLarge(part.handle)
  }

  async accept(accept: Accept): Promise<{ queueId: QueueId }> {
    this.#needRoom()
    let before: QueueId | undefined
    const [queueId] = await this.#enter([accept], () => {
      before = this.#queue.taken(accept)
      return { value: before === undefined, ended: [] }
    })
    if (failpoint('spool.replied') !== 'pass') await new Promise(() => undefined)
    return { queueId: queueId ?? before! }
  }

  /** One after the other. */
  claim(ask: Parameters<SpoolStore['claim']>[0]): ReturnType<SpoolStore['claim']> {
    const claimed = this.#claiming.then(() => inSlices(this.#queue.claim(ask)))
    this.#claiming = claimed.then(
      () => undefined,
      () => undefined,
    )
    return claimed
  }

  async settle(done: Parameters<SpoolStore['settle']>[0]): Promise<{ queued: readonly QueueId[] }> {
    const queued = await this.#enter(done.dsns, () => {
      failpoint('spool.settling')
      return this.#queue.settle(done.settlements)
    })
    for (const settlement of done.settlements) this.#queue.unclaim(settlement)
    if (failpoint('spool.settled') !== 'pass') await new Promise(() => undefined)
    return { queued }
  }

  async act(act: Parameters<SpoolStore['act']>[0]): Promise<{ changed: number }> {
    try {
      const change = await this.#group.commit({ apply: () => this.#queue.act(act) })
      await this.#forget(change)
      return { changed: change.value }
    } catch (thrown) {
      this.#queue.undo([])
      throw thrown
    }
  }

  async hasten(ask: Parameters<SpoolStore['hasten']>[0]): Promise<{ changed: number }> {
    return { changed: await this.#group.commit({ apply: () => this.#queue.hasten(ask) }) }
  }

  async read(part: Parameters<SpoolStore['read']>[0]): ReturnType<SpoolStore['read']> {
    const number = parseQueueId(part.queueId)
    const ref = number === undefined ? undefined : this.#queue.blob(number)
    if (ref === undefined) throw new Fault('notFound', `no message ${part.queueId} in the queue`)
    const length = Math.min(part.length, READ_BYTES_MAX)
    try {
      return { octets: await this.#blobs.read(ref, part.offset, length) }
    } catch (thrown) {
      const now = this.#queue.blob(number!)
      if (now === undefined || now.file === ref.file) throw thrown
      return { octets: await this.#blobs.read(now, part.offset, length) } // moved meanwhile
    }
  }

  async list(filter: Parameters<SpoolStore['list']>[0]): ReturnType<SpoolStore['list']> {
    const messages: QueueMessage[] = []
    let { after } = filter
    for (let looked = 0; ;) {
      const limit = filter.limit - messages.length
      const step = this.#queue.list({ ...filter, limit, ...(after !== undefined && { after }) })
      messages.push(...step.messages)
      looked += step.looked
      after = step.next
      if (after === undefined) return { messages }
      if (messages.length >= filter.limit || looked >= this.#lookedAtMax)
        return { messages, next: after }
      await immediate() // mail comes between the steps
    }
  }

  show(ask: Parameters<SpoolStore['show']>[0]): ReturnType<SpoolStore['show']> {
    const message = this.#queue.show(ask.queueId)
    return Promise.resolve(message === undefined ? {} : { message })
  }

  status(): ReturnType<SpoolStore['status']> {
    return Promise.resolve({ ...this.#queue.status(), ...this.#blobs.space() })
  }

  /** Gives back the space of segments in which nothing waits any more. */
  collect(): Promise<void> {
    return this.#blobs.collect(this.#queue.liveSegments())
  }

  async trial(): Promise<void> {
    if (isFault(this.#group.trouble, 'full') && this.#blobs.space().full) return
    await this.#group.trial(() => void this.#blobs.append([]))
  }

  async close(): Promise<void> {
    await this.#claiming
    await this.#compacting
    await this.#group.idle()
    await this.#blobs.close()
    this.#db.close()
  }

  /** Commits messages together with `change`; their ids, none where the change had no effect. */
  async #enter(
    accepts: readonly Accept[],
    change: () => Change<boolean | undefined>,
  ): Promise<QueueId[]> {
    const entering: Entering[] = accepts.map((accept) => ({ accept }))
    const counted: BlobRef[] = []
    try {
      for (const one of entering) {
        const { content } = one.accept
        if ('large' in content)
          one.ref = await this.#blobs.finishLarge(content.large, content.prefix)
      }
      const stage = (): void => {
        for (const one of entering) {
          const { content } = one.accept
          if ('octets' in content) one.ref = this.#blobs.append(content.octets)
        }
      }
      const apply = (): Change<QueueId[]> => {
        const { value, ended } = change()
        if (value === false) return { value: [], ended }
        const queued = entering.map(({ accept, ref }) => {
          counted.push(ref!)
          return this.#queue.add(accept, ref!)
        })
        return { value: queued, ended }
      }
      const inMemory = entering.some(({ accept }) => 'octets' in accept.content)
      // A settlement alone hurries nobody: its message is out, and asking again is safe.
      const result = await this.#group.commit(
        inMemory ? { stage, apply } : { apply, patient: accepts.length === 0 },
      )
      await this.#forget(result)
      if (result.value.length === 0) await this.#releaseLarge(entering)
      return result.value
    } catch (thrown) {
      this.#queue.undo(counted)
      await this.#releaseLarge(entering)
      throw thrown
    }
  }

  async #releaseLarge(entering: readonly Entering[]): Promise<void> {
    for (const { ref } of entering)
      if (ref?.kind === 'large') await this.#blobs.release(ref).catch(() => undefined)
  }

  /** The rows are gone for good; what follows is only space. */
  async #forget(change: Change<unknown>): Promise<void> {
    try {
      for (const ref of change.ended) await this.#blobs.release(ref)
      if (this.#queue.leave(change.ended)) await this.collect()
      if (change.ended.length > 0) this.#compactSometimes()
    } catch {
      // The next start, or the next collection, deletes it.
    }
  }

  /** One deferred letter in each segment must not keep all of them on the disk for days. */
  #compactSometimes(): void {
    const now = this.#clock.monotonicMs()
    if (now - this.#compactedAtMs < COMPACT_EVERY_MS) return
    this.#compactedAtMs = now
    this.#compacting = this.#compacting.then(() => this.#compact()).catch(() => undefined)
  }

  /** Copies what is left of the emptiest segment to the newest, and deletes it. */
  async #compact(): Promise<void> {
    for (const { number, ref } of this.#queue.sparse()) {
      const octets = await this.#blobs.read(ref, 0, ref.length)
      let copy: BlobRef | undefined
      const isMoved = await this.#group.commit({
        stage: () => {
          copy = this.#blobs.append([octets])
        },
        apply: () => this.#queue.move(number, ref, copy!),
      })
      if (isMoved) this.#queue.moved(ref, copy!)
    }
    await this.collect()
  }

  #needRoom(): void {
    const { full, freeBytes } = this.#blobs.space()
    if (full) throw new Fault('full', `only ${freeBytes} octets are free`)
  }
}
