import { Semaphore } from '#base/deadline.ts'
import { silentLog } from '#base/log.ts'
import type { Log } from '#base/log.ts'
import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import { LIFE_RULES } from '#model/account-life.ts'
import { AccountClock } from './account-clock.ts'
import { checkRemoval, checkRow } from './check-edits.ts'
import type { DirectoryEdit } from './check-edits.ts'
import type { ChangeAuthor, DirectoryLog } from './directory-log.ts'
import type {
  DirectoryHome,
  FoundRow,
  HomeChanged,
  HomeEdit,
  RefusedRow,
} from './directory-home.ts'
import type { Directory, DirectoryChange, DirectoryKey } from './directory.ts'
import { byAuthor, chooseFound } from './found-rows.ts'
import { MemoryDirectory } from './memory-directory.ts'
import type { DirectoryImages } from './image-file.ts'
import { ImageKeeper } from './image-keeper.ts'
import { loadDirectory } from './load-directory.ts'
import { readChanges } from './rows-text.ts'
import type { DirectoryRefusal } from './refusal.ts'
import { rowKey } from './row-key.ts'

const PAGE_ROWS = 1_000

/** A check from another room, such as route's for cycles: one line that refuses the change. */
export type ChangeCheck = (
  directory: Directory,
  change: Pick<DirectoryChange, 'key' | 'row'>,
) => string | undefined

/**
 * The one writer of the directory, in control: checks edits against the copy in memory, writes them
 * to the log, then changes the copy and tells those who listen.
 */
export class DirectoryMaster {
  readonly directory: MemoryDirectory
  readonly #log: DirectoryLog
  readonly #clock: Clock
  readonly #checks: readonly ChangeCheck[]
  readonly #images: DirectoryImages | undefined
  readonly #keeper: ImageKeeper | undefined
  readonly #oneByOne = new Semaphore(1)
  readonly #listeners = new Set<(changes: readonly DirectoryChange[]) => void>()
  /** A write whose end is not known: it may be in the log all the same. */
  #isBehind = false
  #home: DirectoryHome | undefined

  constructor(parts: {
    readonly log: DirectoryLog
    readonly clock: Clock
    readonly checks?: readonly ChangeCheck[]
    /** What time it is for accounts; else that of the clock. */
    readonly lives?: Pick<AccountClock, 'moment'>
    /** Beside the log; absent: each start reads row by row. */
    readonly images?: DirectoryImages
    readonly trouble?: Log
  }) {
    this.directory = new MemoryDirectory(
      [],
      0,
      parts.lives ?? new AccountClock({ clock: parts.clock, rules: () => LIFE_RULES }),
    )
    this.#log = parts.log
    this.#clock = parts.clock
    this.#checks = parts.checks ?? []
    const { images, clock, trouble: log = silentLog } = parts
    this.#images = images
    this.#keeper = images && new ImageKeeper({ directory: this.directory, images, clock, log })
  }

  /** Reads the copy from the log; before the first write. */
  async load(): Promise<void> {
    await this.#oneByOne.run(() => this.#readAll())
  }

  /** No image is begun any more. */
  stop(): void {
    this.#keeper?.stop()
  }

  /** All edits or none, checked in order, each against the directory as those before leave it. */
  write(
    edits: readonly DirectoryEdit[],
    by: ChangeAuthor,
  ): Promise<Outcome<{ readonly seq: number }, DirectoryRefusal>> {
    return this.update(() => ok(edits), by)
  }

  /** Like `write`; the edits are made from the directory as it stands when it is this call's turn. */
  update(
    make: (directory: Directory) => Outcome<readonly DirectoryEdit[], DirectoryRefusal>,
    by: ChangeAuthor,
  ): Promise<Outcome<{ readonly seq: number }, DirectoryRefusal>> {
    return this.#oneByOne.run(async () => {
      await this.#catchUp()
      const over = new Set<DirectoryKey>()
      for (let turn = 0; turn < HOME_TURNS_MAX; turn++) {
        const made = make(this.directory)
        if (!made.ok) return made
        const refusal = this.#check(made.value)
        if (refusal !== undefined) return err(refusal)
        const write = { edits: made.value.map(keyed), by, atMs: this.#clock.nowMs() }
        const there = await this.#writeHome(write, over)
        if (there.kind === 'written') {
          await this.#writeLog({ ...write, ...(there.mark !== undefined && { mark: there.mark }) })
          return ok({ seq: this.directory.seq })
        }
        // Others were there first: what they made of it counts, and the edits are made anew. What breaks
        // a rule is not taken, and what is written now takes its place.
        for (const { key } of await this.#takeFound(there.found)) over.add(key)
      }
      return err(RESTLESS)
    })
  }

  /** Where edits are written before the log has them; undefined: the log is the home. */
  useHome(home: DirectoryHome | undefined): void {
    this.#home = home
  }

  /**
   * Takes what others have changed in the home into the log, by the same rules; answers what breaks one.
   * They are looked for when it is this call's turn: nothing is older than what was written here.
   */
  takeFound(look: () => Promise<readonly FoundRow[]>): Promise<readonly RefusedRow[]> {
    return this.#oneByOne.run(async () => {
      await this.#catchUp()
      return this.#takeFound(await look())
    })
  }

  /** Nobody writes meanwhile. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    return this.#oneByOne.run(work)
  }

  async #writeHome(
    write: Omit<Parameters<DirectoryHome['write']>[0], 'edits' | 'over'> & {
      readonly edits: readonly Keyed[]
    },
    over: ReadonlySet<DirectoryKey>,
  ): Promise<{ readonly kind: 'written'; readonly mark?: string } | HomeChanged> {
    if (this.#home === undefined || write.edits.length === 0) return { kind: 'written' }
    const edits = new Map<DirectoryKey, HomeEdit>()
    for (const { key, row } of write.edits)
      edits.set(key, { key, before: this.directory.row(key) ?? null, row })
    return this.#home.write({ ...write, edits: [...edits.values()], over })
  }

  async #writeLog(write: Omit<Parameters<DirectoryLog['write']>[0], 'baseSeq'>): Promise<void> {
    this.#isBehind = true
    const written = await this.#log.write({ ...write, baseSeq: this.directory.seq })
    this.#isBehind = false
    this.#take(written.changes)
  }

  async #takeFound(found: readonly FoundRow[]): Promise<readonly RefusedRow[]> {
    const home = this.#home
    if (home === undefined) return []
    const differing = found.filter(({ key, row }) => {
      const here = this.directory.row(key)
      return row === null || here === undefined ? (here ?? null) !== row : !home.isSame(here, row)
    })
    const { chosen, refused } = chooseFound(this.directory, differing, (edit) =>
      this.#refusal(edit),
    )
    const atMs = this.#clock.nowMs()
    for (const { rows, by } of byAuthor(chosen)) {
      const mark = rows
        .map((each) => each.mark ?? '')
        .toSorted()
        .at(-1)
      await this.#writeLog({
        edits: rows,
        by,
        atMs,
        ...(mark !== undefined && mark !== '' && { mark }),
      })
    }
    for (const { key, row, isSettled } of chosen)
      if (isSettled === true && row !== null) await home.put({ key, row, atMs })
    return refused
  }

  async #readAll(): Promise<void> {
    const rows = this.#log.rows.bind(this.#log)
    const loaded = await loadDirectory(this.directory, { rows, images: this.#images })
    this.#keeper?.loaded(loaded)
  }

  async #catchUp(): Promise<void> {
    while (this.#isBehind) {
      const page = await this.#log.changes({ since: this.directory.seq, limit: PAGE_ROWS })
      if (page.isCut) {
        await this.#readAll()
        this.#tell([])
      } else this.#take(readChanges(page))
      if (this.directory.seq >= page.seq) this.#isBehind = false
    }
  }

  #take(changes: readonly DirectoryChange[]): void {
    if (changes.length === 0) return
    this.directory.apply(changes)
    this.#keeper?.look()
    this.#tell(changes)
  }

  #tell(changes: readonly DirectoryChange[]): void {
    for (const listener of this.#listeners) listener(changes)
  }

  /** Told after each write, with its changes where they are known; the returned function ends it. */
  onChange(listener: (changes: readonly DirectoryChange[]) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #check(edits: readonly DirectoryEdit[]): DirectoryRefusal | undefined {
    const trial = this.directory.trial()
    try {
      for (const edit of edits.map(keyed)) {
        const refusal = this.#refusal(edit)
        if (refusal !== undefined) return refusal
        trial.put(edit.key, edit.row)
      }
      return undefined
    } finally {
      trial.end()
    }
  }

  #refusal({ key, row }: Keyed): DirectoryRefusal | undefined {
    const refusal = row === null ? checkRemoval(this.directory, key) : checkRow(this.directory, row)
    if (refusal !== undefined) return refusal
    for (const check of this.#checks) {
      const message = check(this.directory, { key, row })
      if (message !== undefined) return { code: 'conflict', message, remedy: CYCLE_REMEDY }
    }
    return undefined
  }
}

/** How often edits are made anew because others change the same rows in the home. */
const HOME_TURNS_MAX = 4
const RESTLESS: DirectoryRefusal = {
  code: 'conflict',
  message: 'others change the same rows in the LDAP servers at this moment',
  remedy: 'Try again.',
}

type Keyed = Pick<DirectoryChange, 'key' | 'row'>

const CYCLE_REMEDY = 'Take one of these addresses out of the chain first.'

const keyed = (edit: DirectoryEdit): Keyed =>
  edit.kind === 'remove' ? { key: edit.key, row: null } : { key: rowKey(edit.row), row: edit.row }
