import { failpoint } from '#base/failpoint.ts'
import { diskFault } from './fault.ts'
import type { Database } from './database.ts'

/** One unit of a group commit: stands or falls alone, except where the disk fails. */
export interface CommitJob<T> {
  /** Appends octets to the segments. Where it throws, only this job is refused. */
  readonly stage?: () => void
  /** Writes rows, inside a savepoint: where it throws, its rows alone are taken back. */
  readonly apply: () => T
}

export interface GroupCommitOptions {
  readonly db: Database
  /** Makes durable what was staged: one fdatasync for the batch. */
  readonly flush?: () => Promise<void>
  /** Names the failpoints: `NAME.synced`, `NAME.committed`. */
  readonly name: string
}

interface Waiting {
  readonly job: CommitJob<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (cause: unknown) => void
  value?: unknown
}

const BATCH_JOBS_MAX = 512
const NEVER = new Promise<never>(() => undefined)

/**
 * Lets all who wait share two syncs: octets first, then one transaction for their rows. Jobs that
 * come while a commit runs make up the next one; a lone job starts at once.
 */
export class GroupCommit {
  readonly #db: Database
  readonly #flush: (() => Promise<void>) | undefined
  readonly #synced: string
  readonly #committed: string
  #waiting: Waiting[] = []
  #running = false
  #idle: (() => void)[] = []

  constructor(options: GroupCommitOptions) {
    this.#db = options.db
    this.#flush = options.flush
    this.#synced = `${options.name}.synced`
    this.#committed = `${options.name}.committed`
  }

  /** Resolves with what `apply` returned once it is durable. */
  commit<T>(job: CommitJob<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ job, resolve: resolve as (value: unknown) => void, reject })
      if (this.#running) return
      this.#running = true
      // After the poll phase: all that one read of the pipe brought goes together.
      setImmediate(() => void this.#run())
    })
  }

  /** Resolves when nothing waits or runs. */
  idle(): Promise<void> {
    return this.#running ? new Promise((resolve) => this.#idle.push(resolve)) : Promise.resolve()
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH_JOBS_MAX)
      const durable = await this.#write(batch)
      if (durable.length === 0) continue
      const settle = this.#transact(durable)
      if (failpoint(this.#committed) === 'hang') await NEVER
      settle()
    }
    this.#running = false
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** Stages and syncs octets; returns the jobs whose octets are safe. */
  async #write(batch: readonly Waiting[]): Promise<readonly Waiting[]> {
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
    if (!staged || this.#flush === undefined) return good
    try {
      await this.#flush()
      if (failpoint(this.#synced) === 'hang') await NEVER
      return good
    } catch (thrown) {
      const cause = diskFault(thrown, 'segment') ?? thrown
      for (const waiting of good) if (waiting.job.stage !== undefined) waiting.reject(cause)
      return good.filter((waiting) => waiting.job.stage === undefined)
    }
  }

  /** One transaction for the batch; the returned function tells those who wait. */
  #transact(batch: readonly Waiting[]): () => void {
    const db = this.#db
    let applied: readonly Waiting[] = []
    try {
      db.query('BEGIN IMMEDIATE').run()
      applied = batch.length === 1 ? batch.filter(applyAlone) : this.#applyEach(batch)
      db.query('COMMIT').run()
    } catch (thrown) {
      const cause = diskFault(thrown, 'database') ?? thrown
      for (const waiting of batch) waiting.reject(cause)
      try {
        db.rollback()
      } catch {
        // The connection is broken; the next BEGIN says so to the next batch.
      }
      return () => undefined
    }
    return () => {
      for (const waiting of applied) waiting.resolve(waiting.value)
    }
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

/** Alone in its transaction a job needs no savepoint: what it throws takes back everything. */
function applyAlone(waiting: Waiting): true {
  waiting.value = waiting.job.apply()
  return true
}
