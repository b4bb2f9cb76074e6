import type { Log } from '#base/log.ts'
import { err, messageOf, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { HOUR_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import { NodeLink } from '#client/node/node-link.ts'
import type { LinkParts } from '#client/node/node-link.ts'
import type { Dial } from '#client/node/request.ts'
import type { WireSnapshot } from '#contract/node/wire.ts'
import type { NodePlace } from '#model/node.ts'
import { AccountClock } from '#store/directory/account-clock.ts'
import type { DirectoryKey } from '#store/directory/directory.ts'
import { DirectoryMaps } from '#store/directory/directory-maps.ts'
import type { DirectoryImages } from '#store/directory/image-file.ts'
import { ImageKeeper } from '#store/directory/image-keeper.ts'
import { MemoryDirectory } from '#store/directory/memory-directory.ts'
import type { DirectoryReplica } from '#store/directory/replica.ts'
import { lifeRulesOf } from '#store/settings/life-rules.ts'
import { loadDirectory } from '#store/directory/load-directory.ts'
import type { EventLog } from '#store/events/event-log.ts'
import {
  contentHash,
  FIRST_CONTENT,
  resolveSettings,
  settingsOfCopy,
} from '#store/settings/resolve.ts'
import type { SettingsSnapshot } from '#store/settings/resolve.ts'
import type { SettingsCopy } from '#store/settings/settings-copy.ts'
import type { Settings } from '#store/settings/table.ts'

interface Parts {
  readonly dial: Dial
  readonly clock: Clock
  readonly log: Log
  readonly node: string
  readonly role: string
  readonly replica: DirectoryReplica
  /** Beside the replica; absent: each start reads row by row. */
  readonly images?: DirectoryImages
  readonly copy: SettingsCopy
  readonly events: EventLog
  readonly beat: LinkParts['beat']
}

type Kept = Pick<Parameters<SettingsCopy['save']>[0], 'snapshot' | 'tables' | 'nodes'>

/** So often what time it is is kept for the next start. */
const TIME_KEPT_EACH_MS = 6 * HOUR_MS

/**
 * What a node knows and how it stays up to date: directory and settings in memory, read from its
 * own copies at the start and kept up by the link to control.
 */
export class JoinedNode {
  readonly directory: MemoryDirectory
  readonly link: NodeLink
  readonly #parts: Parts
  readonly #listeners = new Set<(settings: Settings) => void>()
  readonly #placesListeners = new Set<() => void>()
  readonly #rowsListeners = new Set<(accounts: readonly AccountId[] | 'all') => void>()
  readonly #keeper: ImageKeeper | undefined
  readonly #keysListeners = new Set<(keys: readonly DirectoryKey[] | 'all') => void>()
  /** A whole new copy on its way. */
  #gathered = new DirectoryMaps()
  #snapshot: SettingsSnapshot = {
    generation: 0,
    hash: contentHash(FIRST_CONTENT),
    ...FIRST_CONTENT,
  }
  #tables: Readonly<Record<string, string>> = {}
  #places: readonly NodePlace[] = []
  #scriptHome: string | undefined
  /** Copies are written one after the other. */
  #saving: Promise<void> = Promise.resolve()
  #settings: Settings | undefined
  readonly #lives: AccountClock
  #keptTimeMs = -Infinity

  constructor(parts: Parts) {
    this.#parts = parts
    this.#lives = new AccountClock({
      clock: parts.clock,
      rules: () => lifeRulesOf(this.#settings),
      onJump: (byMs) => parts.log.warn('directory.clockJumped', { byMs }),
      onControl: (differs) =>
        differs === 'agrees'
          ? parts.log.info('directory.clockAgrees')
          : parts.log.error('directory.clockDiffers', { ...differs }),
    })
    this.directory = new MemoryDirectory([], 0, this.#lives)
    const { images, clock, log } = parts
    this.#keeper = images && new ImageKeeper({ directory: this.directory, images, clock, log })
    this.link = new NodeLink({
      ...parts,
      has: () => ({
        generation: this.#snapshot.generation,
        hash: this.#snapshot.hash,
        seq: this.directory.seq,
      }),
      settings: (snapshot, fetchTable) => this.#takeSettings(snapshot, fetchTable),
      rows: (line) => this.#takeRows(line),
      nodes: (places) => this.#takeNodes(places),
      time: (controlMs) => this.#takeTime(controlMs),
    })
  }

  /** Reads the node's own copies; before the listeners open. Throws the Fault of a damaged copy. */
  async load(): Promise<void> {
    // Defaults first: a node whose storage does not answer yet still has settings to refuse by.
    const defaults = await resolveSettings(FIRST_CONTENT, () => Promise.resolve(undefined))
    if (defaults.ok) this.#settings ??= defaults.value
    const { replica, images } = this.#parts
    const rows = replica.load.bind(replica)
    const loaded = await loadDirectory(this.directory, { rows, images })
    this.#keeper?.loaded(loaded)
    const copy = await this.#parts.copy.load()
    const settings = await settingsOfCopy(copy)
    const { snapshot, tables, nodes, timeMs, scriptHome } = copy
    this.#scriptHome = scriptHome
    if (timeMs !== undefined) this.#lives.remember((this.#keptTimeMs = timeMs))
    if (snapshot !== undefined) this.#snapshot = snapshot
    this.#places = nodes ?? []
    for (const listener of this.#placesListeners) listener()
    this.#tables = tables
    this.#settings = settings
  }

  /** Nothing more is kept of what it knows. */
  stop(): void {
    this.link.stop()
    this.#keeper?.stop()
  }

  /** The settings in force. */
  get settings(): Settings {
    if (this.#settings === undefined) throw new Error('the node is not loaded')
    return this.#settings
  }

  /** The joined nodes, as control told them last. */
  get places(): readonly NodePlace[] {
    return this.#places
  }

  /** Where users' scripts have their home beside the store, as control has said last; undefined: nowhere. */
  get scriptHome(): string | undefined {
    return this.#scriptHome
  }

  /** Durable when it resolves. */
  async keepScriptHome(home: string | undefined): Promise<void> {
    const before = this.#scriptHome
    if (before === home) return
    this.#scriptHome = home
    try {
      await this.#save(this.#copy())
    } catch (thrown) {
      this.#scriptHome = before
      throw thrown
    }
  }

  /** Told when nodes have come, gone or moved. */
  onPlaces(listener: () => void): void {
    this.#placesListeners.add(listener)
  }

  /** Told after each new generation; the returned function ends it. */
  onSettings(listener: (settings: Settings) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Told whose rows have changed: all, where a domain's did or the whole copy came anew. */
  onAccounts(listener: (accounts: readonly AccountId[] | 'all') => void): void {
    this.#rowsListeners.add(listener)
  }

  /** Told which rows of any kind have changed, by their keys; all where the whole copy came anew. */
  onRows(listener: (keys: readonly DirectoryKey[] | 'all') => void): void {
    this.#keysListeners.add(listener)
  }

  #tellRows(accounts: readonly AccountId[] | 'all', keys: readonly DirectoryKey[] | 'all'): void {
    for (const listener of this.#rowsListeners) listener(accounts)
    for (const listener of this.#keysListeners) listener(keys)
  }

  async #takeSettings(
    snapshot: WireSnapshot,
    fetchTable: (hash: string) => Promise<string>,
  ): Promise<Outcome<void, string>> {
    try {
      const tables: Record<string, string> = {}
      for (const hash of Object.values(snapshot.tables))
        tables[hash] = this.#tables[hash] ?? (await fetchTable(hash))
      const settings = await resolveSettings(snapshot, async (hash) => tables[hash], {
        tables: this.#snapshot.tables,
        settings: this.settings,
      })
      if (!settings.ok) return err(settings.error.message)
      await this.#save({ snapshot, tables, nodes: this.#places })
      this.#snapshot = snapshot
      this.#tables = tables
      this.#settings = settings.value
    } catch (cause) {
      return err(messageOf(cause))
    }
    for (const listener of this.#listeners) listener(this.settings)
    return ok(undefined)
  }

  async #takeNodes(places: readonly NodePlace[]): Promise<void> {
    // In force at once: who was removed gets nothing more, whatever the disk does.
    this.#places = places
    for (const listener of this.#placesListeners) listener()
    await this.#save(this.#copy())
  }

  /** A start with a wrong clock goes on from there. */
  #takeTime(controlMs: number): void {
    this.#lives.told(controlMs)
    const { knownMs = -Infinity } = this.#lives
    // It is kept with the first settings else.
    if (this.#snapshot.generation === 0) return
    if (Math.abs(knownMs - this.#keptTimeMs) < TIME_KEPT_EACH_MS) return
    this.#save(this.#copy()).catch((cause: unknown) =>
      this.#parts.log.warn('directory.timeNotKept', { cause: messageOf(cause) }),
    )
  }

  #copy(): Kept {
    return { snapshot: this.#snapshot, tables: this.#tables, nodes: this.#places }
  }

  #save(copy: Kept): Promise<void> {
    const { knownMs: timeMs } = this.#lives
    if (timeMs !== undefined) this.#keptTimeMs = timeMs
    const save = {
      ...copy,
      ...(timeMs !== undefined && { timeMs }),
      ...(this.#scriptHome !== undefined && { scriptHome: this.#scriptHome }),
    }
    const saved = this.#saving.then(() => this.#parts.copy.save(save))
    this.#saving = saved.catch(() => undefined)
    return saved
  }

  async #takeRows(line: Parameters<LinkParts['rows']>[0]): Promise<void> {
    const { replica } = this.#parts
    switch (line.kind) {
      case 'gather':
        if (line.first) this.#gathered = new DirectoryMaps()
        await replica.gather({ first: line.first, rows: line.rows })
        for (const { row } of line.rows) this.#gathered.put(row)
        return
      case 'replace':
        this.#keeper?.replacing()
        await replica.replace({ seq: line.seq })
        this.directory.replace(line.seq, this.#gathered)
        this.#keeper?.loaded({ fromImage: false })
        this.#gathered = new DirectoryMaps()
        this.#tellRows('all', 'all')
        return
      case 'changes': {
        await replica.apply({ changes: line.changes })
        this.directory.apply(line.changes)
        this.#keeper?.look()
        const rows = line.changes.map(({ row }) => row)
        const accounts = rows.flatMap((row) => (row?.kind === 'account' ? [row.account.id] : []))
        this.#tellRows(
          rows.some((row) => row?.kind === 'domain') ? 'all' : accounts,
          line.changes.map(({ key }) => key),
        )
      }
    }
  }
}
