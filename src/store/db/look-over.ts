import { spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { MINUTE_MS } from '#base/time.ts'
import type { Database } from './database.ts'

/** What SQLite says of a database that is in use. */
export type DatabaseHealth =
  | { readonly kind: 'whole' }
  | { readonly kind: 'damaged'; readonly text: string }
  /** It could not be looked over to its end. */
  | { readonly kind: 'unknown'; readonly text: string }

export interface LookOverOptions {
  readonly db: Database
  readonly path: string
  /** How far the WAL may grow meanwhile, since nobody writes it into the file. */
  readonly walBytesMax?: number
}

/** One line of the child: a table is whole, or something is not. */
export type LookedAt =
  | { readonly kind: 'whole'; readonly part: string }
  | { readonly kind: 'damaged'; readonly text: string }

const SCRIPT = join(import.meta.dirname, 'look-over-child.ts')
const WAL_BYTES_MAX = 32 * 1024 * 1024
/** A table that takes longer than the WAL allows is given more of it, up to so much. */
const WAL_DOUBLINGS_MAX = 4
const WATCH_MS = 250
const ATTEMPT_MS_MAX = 10 * MINUTE_MS

/**
 * Has SQLite look over a database of any size while others use it: the WAL is written into the file, which
 * then stands still for as long as nobody writes it again, and a child reads that file alone. What it has
 * done of the tables is kept, so that a busy store is looked over in several attempts.
 */
export class LookOver {
  readonly #options: LookOverOptions
  readonly #whole = new Set<string>()
  #attempts = 0
  #isClosed = false
  #end: () => void = () => undefined
  #running: Promise<DatabaseHealth> | undefined

  constructor(options: LookOverOptions) {
    this.#options = options
  }

  /** One attempt, from where the last one was given up. Damage is believed when it is found twice. */
  attempt(): Promise<DatabaseHealth> {
    this.#running ??= this.#attempt().finally(() => (this.#running = undefined))
    return this.#running
  }

  /** Ends what runs; waits for nobody who hangs in the disk. */
  close(): void {
    this.#isClosed = true
    this.#end()
  }

  async #attempt(): Promise<DatabaseHealth> {
    const first = await this.#look()
    const health = first.kind === 'damaged' ? await this.#look() : first
    if (health.kind === 'unknown') this.#attempts++
    else {
      this.#attempts = 0
      this.#whole.clear()
    }
    return health
  }

  async #look(): Promise<DatabaseHealth> {
    const { db } = this.#options
    if (this.#isClosed) return { kind: 'unknown', text: 'it is being closed' }
    if (!db.holdFile()) return { kind: 'unknown', text: 'it is being read' }
    try {
      return await this.#child()
    } finally {
      if (!this.#isClosed) db.releaseFile()
    }
  }

  #child(): Promise<DatabaseHealth> {
    const { path } = this.#options
    const doublings = Math.min(this.#attempts, WAL_DOUBLINGS_MAX)
    const walBytesMax = (this.#options.walBytesMax ?? WAL_BYTES_MAX) * 2 ** doublings
    const { promise, resolve } = Promise.withResolvers<DatabaseHealth>()
    const child = spawn(process.execPath, [SCRIPT, path, JSON.stringify([...this.#whole])], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const give = (text: string): void => {
      resolve({ kind: 'unknown', text })
      child.kill('SIGKILL')
      child.stdout.destroy()
      child.unref()
    }
    this.#end = () => give('it is being closed')
    const walBytes = (): number => statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0
    // It is never cut, and written from its start again.
    const earlierBytes = walBytes()
    const look = (): void => {
      if (walBytes() - earlierBytes > walBytesMax) give('too much was written meanwhile')
    }
    look()
    const watch = setInterval(look, WATCH_MS)
    const late = setTimeout(() => give('it took too long'), ATTEMPT_MS_MAX)
    let damage: string | undefined
    createInterface({ input: child.stdout }).on('line', (line) => {
      const looked = JSON.parse(line) as LookedAt
      if (looked.kind === 'whole') this.#whole.add(looked.part)
      else damage ??= looked.text
    })
    child.once('error', (cause) => give(cause.message))
    child.once('close', (status) => {
      if (damage !== undefined) resolve({ kind: 'damaged', text: damage })
      else if (status === 0) resolve({ kind: 'whole' })
      else resolve({ kind: 'unknown', text: `the look at it ended with status ${status}` })
    })
    return promise.finally(() => {
      clearInterval(watch)
      clearTimeout(late)
      this.#end = () => undefined
    })
  }
}
