import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '#base/log.ts'
import { Fault } from '#base/outcome.ts'
import { systemClock } from '#base/time.ts'
import { HomeKeeper } from '#engine/home/home-keeper.ts'
import type { HomeState } from '#engine/home/home-keeper.ts'
import type { ScriptStore } from '#engine/home/script-store.ts'
import { findCycle } from '#engine/route/check.ts'
import { SqliteDirectoryLog } from '#store/directory/directory-log.ts'
import { DirectoryMaster } from '#store/directory/directory-master.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'

const ITERATIONS = 4_096

/** Control's part of it: the log, its one writer and who keeps the home. */
export class HomeControl {
  readonly master: DirectoryMaster
  readonly log: SqliteDirectoryLog
  readonly keeper: HomeKeeper
  readonly #dir: string
  readonly #store: ScriptStore | undefined

  private constructor(dir: string, store: ScriptStore | undefined) {
    this.#dir = dir
    this.#store = store
    this.log = new SqliteDirectoryLog(join(dir, 'directory.db'))
    this.master = new DirectoryMaster({ log: this.log, clock: systemClock, checks: [findCycle] })
    this.keeper = new HomeKeeper({
      directory: this.master,
      log: this.log,
      shelf: this.log.home,
      scriptShelf: this.log.scriptHome,
      scriptStore: () => {
        if (this.#store === undefined) throw new Fault('unavailable', 'no store has joined yet')
        return this.#store
      },
      clock: systemClock,
      trouble: silentLog,
      scramIterations: () => ITERATIONS,
    })
  }

  static async open(
    dir = mkdtempSync(join(tmpdir(), 'watari-home-')),
    store?: ScriptStore,
  ): Promise<HomeControl> {
    const control = new HomeControl(dir, store)
    await control.master.load()
    await control.keeper.start()
    return control
  }

  get dir(): string {
    return this.#dir
  }

  async restart(): Promise<HomeControl> {
    await this.stop()
    return HomeControl.open(this.#dir, this.#store)
  }

  async stop(): Promise<void> {
    await this.keeper.close()
    this.log.close()
  }

  async remove(): Promise<void> {
    await this.stop()
    rmSync(this.#dir, { recursive: true })
  }

  async is(...states: readonly string[]): Promise<HomeState> {
    return until(`the home is ${states.join(' or ')}`, () => {
      const state = this.keeper.state()
      return states.includes(state.kind === 'ldap' ? state.state : state.kind) ? state : undefined
    })
  }

  row(key: string): DirectoryRow | undefined {
    return this.master.directory.row(key)
  }
}

/** Asks again until there is an answer; what is waited for comes over a network. */
export async function until<T>(
  what: string,
  ask: () => T | undefined | Promise<T | undefined>,
): Promise<T> {
  const end = performance.now() + 30_000
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    if (performance.now() > end) throw new Error(`it never came: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
