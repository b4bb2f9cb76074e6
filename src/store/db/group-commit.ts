import { failpoint } from '#base/failpoint.ts'
import { Fault, isFault } from '#base/outcome.ts'
import type { FaultCode } from '#base/outcome.ts'
import { diskFault } from './fault.ts'
import type { Clock } from '#base/time.ts'
import type { Database } from './database.ts'

/** One unit of a group commit: stands or falls alone, except where the disk fails. */
export interface CommitJob<T> {
  /** Appends octets to the segments. Where it throws, only this job is refused. */
  readonly stage?: () => void
  /** Writes rows, inside a savepoint: where it throws, its rows alone are taken back. */
  readonly apply: () => T
  /**
   * By `monotonicMs`: whoever asked for it has been told by then that storage does not answer. It is not
   * committed later, nor is what goes with it (Fault `stalled`).
   */
  readonly untilMs?: number
  /** Nobody is in a hurry for it: it joins a commit that others ask for, or waits PATIENCE_MS. */
  readonly patient?: boolean
  /** One step of many: those who come meanwhile are committed before it, now and then with it. */
  readonly isStep?: boolean
}

/** Tells elsewhere what a transaction did; neither waits nor throws. */
export interface CommitJournal {
  /** Within the transaction, right before its COMMIT; false where nobody could make that again from what it tells. */
  write(): boolean
  /** The transaction that was told last came to nothing. */
  undo(): void
  /** Nor does it come true at the next start, though it is durable where the redo log is. */
  leaveOut(): void
}

export interface GroupCommitOptions {
  readonly db: Database
  readonly journal?: CommitJournal
  /** Makes durable what was staged: one fdatasync for the batch. */
  readonly flush?: () => Promise<void>
  /** Where COMMIT alone is not durable, what the journal tells is: one sync for octets and rows, right before COMMIT. */
  readonly redo?: RedoLog
  /** For jobs that are not to be late. */
  readonly clock?: Pick<Clock, 'monotonicMs'>
  /** Names the failpoints: `NAME.synced`, `NAME.applied`, `NAME.committed`. */
  readonly name: string
}

/** Where octets and the journal's records lie one behind the other. */
export interface RedoLog {
  /** True where `flushNow` takes all that was staged. */
  readonly isReady: boolean
  /** Makes durable what was placed; false where that does not hold for rows. Nothing else runs meanwhile. */
  flushNow(): boolean
}

interface Waiting {
  readonly job: CommitJob<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (cause: unknown) => void
  value?: unknown
}

const BATCH_JOBS_MAX = 512
const PATIENCE_MS = 20
/** So many commits of others pass a step that waits; then it goes with the next. */
const PASSES_MAX = 1
/** What is trouble of the disk, and not of one job. */
const TROUBLES: ReadonlySet<FaultCode> = new Set(['io', 'full', 'corrupt'])
const NEVER = new Promise<never>(() => undefined)

/**
 * Lets all who wait share two syncs: octets first, then one transaction for their rows; or one, where
 * a redo log holds both. Jobs that come while a commit runs make up the next one, those without octets
 * still join it before its transaction; a lone job starts at once.
 */
export class GroupCommit {
  readonly #db: Database
  readonly #flush: (() => Promise<void>) | undefined
  readonly #journal: CommitJournal | undefined
  readonly #redo: RedoLog | undefined
  readonly #clock: Pick<Clock, 'monotonicMs'> | undefined
  readonly #synced: string
  readonly #applied: string
  readonly #committed: string
  #waiting: Waiting[] = []
  #running = false
  #patience: NodeJS.Timeout | undefined
  #idle: (() => void)[] = []
  #trouble: Fault | undefined
  #passes = 0

  constructor(options: GroupCommitOptions) {
    this.#db = options.db
    this.#flush = options.flush
    this.#journal = options.journal
    this.#redo = options.redo
    this.#clock = options.clock
    this.#synced = `${options.name}.synced`
    this.#applied = `${options.name}.applied`
    this.#committed = `${options.name}.committed`
  }

  /** Resolves with what `apply` returned once it is durable. */
  commit<T>(job: CommitJob<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ job, resolve: resolve as (value: unknown) => void, reject })
      if (job.patient === true) this.#startLater()
      else this.#start()
    })
  }

  /** Why the disk took nothing the last time; undefined once it has taken octets and rows again. */
  get trouble(): Fault | undefined {
    return this.#trouble
  }

  /**
   * Where the disk took nothing the last time, asks it once more, with rows of no meaning and what
   * `stage` appends. Throws what it says.
   */
  async trial(stage: () => void): Promise<void> {
    if (this.#trouble === undefined) return
    // SQLite writes no page that has not changed.
    await this.commit({ stage, apply: () => this.#db.touch() })
    if (this.#redo === undefined) return
    try {
      this.#db.checkpoint()
    } catch (thrown) {
      this.#note(thrown)
      throw thrown
    }
  }

  /** Resolves when nothing waits or runs. */
  idle(): Promise<void> {
    if (this.#waiting.length > 0) this.#start()
    return this.#running ? new Promise((resolve) => this.#idle.push(resolve)) : Promise.resolve()
  }

  #start(): void {
    if (this.#running) return
    this.#running = true
    clearTimeout(this.#patience)
    this.#patience = undefined
    // After the poll phase: all that one read of the pipe brought goes together.
    setImmediate(() => void this.#run())
  }

  #startLater(): void {
    if (!this.#running) this.#patience ??= setTimeout(() => this.#start(), PATIENCE_MS)
  }

  async #run(): Promise<void> {
    do {
      const batch = await this.#write(this.#inTime(this.#take()))
      batch.push(...this.#rowsOnly(BATCH_JOBS_MAX - batch.length))
      if (batch.length === 0) continue
      const settle = this.#transact(batch)
      if (failpoint(this.#committed) === 'hang') await NEVER
      settle()
      await answersSent()
    } while (this.#waiting.some(({ job }) => job.patient !== true) || this.#isLeaving())
    this.#running = false
    if (this.#waiting.length > 0) this.#startLater()
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** Somebody waits for the end: what is patient goes now. */
  #isLeaving(): boolean {
    return this.#idle.length > 0 && this.#waiting.length > 0
  }

  /** Those whose turn it is: all, but steps give way to whoever waits for one commit alone. */
  #take(): readonly Waiting[] {
    const isStep = ({ job }: Waiting): boolean => job.isStep === true
    const others = this.#waiting.filter((waiting) => !isStep(waiting))
    const areHurried = others.some(({ job }) => job.patient !== true)
    const givesWay = areHurried && others.length < this.#waiting.length
    if (!givesWay || this.#passes >= PASSES_MAX) {
      this.#passes = 0
      return this.#waiting.splice(0, BATCH_JOBS_MAX)
    }
    this.#passes++
    const taken = others.slice(0, BATCH_JOBS_MAX)
    this.#waiting = [...this.#waiting.filter(isStep), ...others.slice(BATCH_JOBS_MAX)]
    return taken
  }

  /** Those that somebody still waits for. */
  #inTime(jobs: readonly Waiting[]): readonly Waiting[] {
    return jobs.filter((waiting) => {
      if (!this.#isLate(waiting)) return true
      waiting.reject(late())
      return false
    })
  }

  #isLate({ job: { untilMs } }: Waiting): boolean {
    return untilMs !== undefined && (this.#clock?.monotonicMs() ?? 0) > untilMs
  }

  /** Takes out what came while octets were synced and needs no sync of its own. */
  #rowsOnly(countMax: number): readonly Waiting[] {
    const joining = this.#waiting
      .filter(({ job }) => job.stage === undefined && job.isStep !== true)
      .slice(0, countMax)
    if (joining.length > 0)
      this.#waiting = this.#waiting.filter((waiting) => !joining.includes(waiting))
    return joining
  }

  /** Stages octets, and syncs them where they cannot go with their rows; returns the jobs whose octets are safe. */
  async #write(batch: readonly Waiting[]): Promise<Waiting[]> {
    let staged = false
    const good = batch.filter((waiting) => {
      try {
        if (waiting.job.stage !== undefined) {
          waiting.job.stage()
          staged = true
        }
        return true
      } catch (thrown) {
        waiting.reject(thrown)
        return false
      }
    })
    if (this.#flush === undefined) return good
    if (this.#redo === undefined ? !staged : this.#redo.isReady) return good
    try {
      await this.#flush()
      if (failpoint(this.#synced) === 'hang') await NEVER
      return good
    } catch (thrown) {
      const cause = diskFault(thrown, 'segment') ?? thrown
      this.#note(cause)
      for (const waiting of good) if (waiting.job.stage !== undefined) waiting.reject(cause)
      return good.filter((waiting) => waiting.job.stage === undefined)
    }
  }

  /** One transaction for the batch; the returned function tells those who wait. */
  #transact(batch: readonly Waiting[]): () => void {
    const db = this.#db
    let applied: readonly Waiting[] = []
    let isTold = false
    try {
      db.query('BEGIN IMMEDIATE').run()
      applied = batch.length === 1 ? batch.filter(applyAlone) : this.#applyEach(batch)
      failpoint(this.#applied)
      isTold = true
      const isTellable = this.#journal?.write() !== false
      const isDurable = this.#redo === undefined || (this.#redo.flushNow() && isTellable)
      if (this.#redo !== undefined) failpoint(this.#synced)
      // A disk that has hung answers now, and nobody listens any more.
      if (applied.some((waiting) => this.#isLate(waiting))) throw late()
      db.query('COMMIT').run()
      isTold = false
      if (!isDurable) db.checkpoint()
      // Rows alone say nothing about the octets' files.
      if (applied.some(({ job }) => job.stage !== undefined)) this.#trouble = undefined
    } catch (thrown) {
      if (isTold) this.#journal?.undo()
      const cause = diskFault(thrown, 'database') ?? thrown
      this.#note(cause)
      for (const waiting of batch) waiting.reject(cause)
      try {
        db.rollback()
        if (isFault(cause, 'stalled')) this.#leaveOut()
      } catch {
        // The connection is broken; the next BEGIN says so to the next batch.
      }
      return () => undefined
    }
    return () => {
      for (const waiting of applied) waiting.resolve(waiting.value)
    }
  }

  /** What is durable in the redo log and was not committed. */
  #leaveOut(): void {
    if (this.#redo === undefined) return
    this.#journal?.leaveOut()
    this.#redo.flushNow()
  }

  #note(cause: unknown): void {
    if (isFault(cause) && TROUBLES.has(cause.code)) this.#trouble = cause
  }

  #applyEach(batch: readonly Waiting[]): readonly Waiting[] {
    const db = this.#db
    return batch.filter((waiting) => {
      db.query('SAVEPOINT job').run()
      try {
        waiting.value = waiting.job.apply()
        db.query('RELEASE job').run()
        return true
      } catch (thrown) {
        const fault = diskFault(thrown, 'database')
        if (fault !== undefined && fault !== thrown) throw fault // the whole batch is lost
        db.query('ROLLBACK TO job').run()
        db.query('RELEASE job').run()
        waiting.reject(thrown)
        return false
      }
    })
  }
}

const late = (): Fault => new Fault('stalled', 'its time was over before it was committed')

/** Alone in its transaction a job needs no savepoint: what it throws takes back everything. */
function applyAlone(waiting: Waiting): true {
  waiting.value = waiting.job.apply()
  return true
}

/** The next batch blocks this thread while it commits: the answers to the last one go out first. */
const answersSent = (): Promise<void> =>
  new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
