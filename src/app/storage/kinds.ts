import { constants, setPriority } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '#base/time.ts'
import { MimeIndexer } from '#codec/mime/indexer.ts'
import type { NodeId } from '#model/event.ts'
import { SqliteBindShelf } from '#store/directory/bind-shelf.ts'
import type { BindShelf } from '#store/directory/bind-shelf.ts'
import { SqliteDirectoryLog } from '#store/directory/directory-log.ts'
import type { DirectoryLog } from '#store/directory/directory-log.ts'
import type { HomeShelf } from '#store/directory/home-shelf.ts'
import type { ScriptShelf } from '#store/directory/script-shelf.ts'
import type { DirectoryImages } from '#store/directory/image-file.ts'
import { SqliteReplica } from '#store/directory/replica.ts'
import type { DirectoryReplica } from '#store/directory/replica.ts'
import { SqliteSessionShelf } from '#store/directory/session-shelf.ts'
import type { SessionShelf } from '#store/directory/session-shelf.ts'
import { SqliteEventIndex } from '#store/events/event-index.ts'
import { SqliteSourceShelf } from '#store/directory/source-shelf.ts'
import type { SourceShelf } from '#store/directory/source-shelf.ts'
import { SqliteApiTokens } from '#store/directory/api-token-shelf.ts'
import type { ApiTokenShelf } from '#store/directory/api-token-shelf.ts'
import { SqliteAppPasswordUses } from '#store/directory/app-password-uses.ts'
import type { AppPasswordUses } from '#store/directory/app-password-uses.ts'
import { SqliteUpkeepNotes } from '#store/directory/upkeep-notes.ts'
import type { UpkeepNotes } from '#store/directory/upkeep-notes.ts'
import type { EventIndex } from '#store/events/event-index.ts'
import { SqliteEventLog } from '#store/events/event-log.ts'
import type { EventLog } from '#store/events/event-log.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import { openMailboxes } from '#store/mailbox/open.ts'
import { SqliteNodeRegistry } from '#store/nodes/node-registry.ts'
import type { NodeRegistry } from '#store/nodes/node-registry.ts'
import { FileSearchIndex } from '#store/search/file-search-index.ts'
import type { SearchIndex } from '#store/search/search-index.ts'
import { SqliteSettingsStore } from '#store/settings/generations.ts'
import type { SettingsStore } from '#store/settings/generations.ts'
import { FileSettingsCopy } from '#store/settings/settings-copy.ts'
import type { SettingsCopy } from '#store/settings/settings-copy.ts'
import { settingsOfCopy } from '#store/settings/resolve.ts'
import { openSpool } from '#store/spool/open.ts'
import type { SpoolStore } from '#store/spool/spool-store.ts'
import { compactOften } from './compact-often.ts'
import { purgeDaily } from './purge-daily.ts'
import type { PurgeTold } from './purge-daily.ts'
import { recountDaily } from './recount-daily.ts'
import type { Services } from './serve.ts'

/** What an opener is given. The folder exists, and its lock is held. */
export interface KindContext {
  readonly dir: string
  readonly clock: Clock
  readonly options: StorageOptions
  /** Tells the socket process something that it did not ask for. */
  readonly notify: (topic: string, payload: unknown) => void
}

/** What a role hands to its storage child at its start. */
export interface StorageOptions {
  /** Free space under which no new mail is taken. */
  readonly reserveBytes?: number
  /** Whose queue it is; a gateway's, where absent. */
  readonly queueOf?: 'gateway' | 'deliver'
}

interface OpenedKind<S extends Services> {
  readonly services: S
  /** Throws where a store that could not write the last time cannot now. */
  trial(): Promise<void>
  /** What is wrong though all is served: a line each. */
  ailments(): readonly string[]
  /** Rows changed since they were opened, of those stores that count them. */
  readonly rowsChanged: () => number
  /** What a call or a trial has thrown, as it is to be told. */
  readonly told: (thrown: unknown) => unknown
  close(): Promise<void>
}

/** A node's own copies of what control hands down, and the facts that it has not shipped yet. */
type NodeServices = {
  readonly replica: DirectoryReplica & DirectoryImages
  readonly copy: SettingsCopy
  readonly events: EventLog
  readonly binds: BindShelf
}

type Closable = {
  trial?(): Promise<void>
  ailments?(): readonly string[]
  rowsChanged?(): number
  told?(thrown: unknown): unknown
  close(): void | Promise<void>
}
type Keep = <T extends Closable>(store: T) => T

/** Opens the stores of a kind; where one of them refuses, those that are open already are closed. */
async function opened<S extends Services>(
  open: (keep: Keep) => S | Promise<S>,
): Promise<OpenedKind<S>> {
  const stores: Closable[] = []
  const close = async (): Promise<void> => {
    for (const store of stores.splice(0).toReversed()) await store.close()
  }
  const trial = async (): Promise<void> => {
    for (const store of stores) await store.trial?.()
  }
  try {
    const services = await open((store) => {
      stores.push(store)
      return store
    })
    const ailments = () => stores.flatMap((store) => store.ailments?.() ?? [])
    const told = (thrown: unknown): unknown =>
      stores.reduce<unknown>((as, store) => store.told?.(as) ?? as, thrown)
    const rowsChanged = (): number =>
      stores.reduce((sum, store) => sum + (store.rowsChanged?.() ?? 0), 0)
    return { services, trial, ailments, rowsChanged, told, close }
  } catch (thrown) {
    await close()
    throw thrown
  }
}

const nodeServices = (keep: Keep, dir: string, node: string): NodeServices => ({
  replica: keep(new SqliteReplica(join(dir, 'directory.db'))),
  events: keep(new SqliteEventLog({ path: join(dir, 'events.db'), node: node as NodeId })),
  binds: keep(new SqliteBindShelf(join(dir, 'binds.db'))),
  copy: new FileSettingsCopy(join(dir, 'settings.json')),
})

/** The stores of one volume, by the kind of its storage child. Each kind's services open together. */
export const KINDS = {
  /** A queue: a gateway's, or a deliver's. */
  spool: ({ dir, clock, options: { queueOf = 'gateway', ...options } }: KindContext) =>
    opened<NodeServices & { spool: SpoolStore }>(async (keep) => ({
      spool: keep(await openSpool({ dir, clock, ...options })),
      ...nodeServices(keep, dir, queueOf),
    })),
  /** A store's mailboxes. */
  mailbox: ({ dir, clock, options, notify }: KindContext) =>
    opened<NodeServices & { mailboxes: MailboxStore; sessions: SessionShelf }>(async (keep) => {
      // First, since a journal begins with the mailboxes: a start that is refused leaves all as it was.
      const node = nodeServices(keep, dir, 'store')
      const sessions = keep(new SqliteSessionShelf(join(dir, 'sessions.db')))
      const mailboxes = keep(
        await openMailboxes({
          dir,
          clock,
          parser: () => new MimeIndexer(),
          onChange: (change) => notify('changed', change),
          onTrouble: (line) => void process.stderr.write(`${line}\n`),
          ...options,
        }),
      )
      const keptMs = async () => {
        const copy = await node.copy.load()
        const keptMs = (await settingsOfCopy(copy))['mailbox.undeleteMs']
        return { keptMs, isTold: copy.snapshot !== undefined }
      }
      const tell = (told: PurgeTold): void => notify('purge', told)
      keep(purgeDaily({ mailboxes, replica: node.replica, clock, keptMs, tell }))
      keep(recountDaily(mailboxes, { clock, tell }))
      keep(compactOften(mailboxes, clock))
      return { mailboxes, sessions, ...node }
    }),
  /** The search index of a store's mailboxes: no truth, and where hostile mail is read. */
  search: ({ dir, clock, options }: KindContext) =>
    opened<{ search: SearchIndex }>((keep) => {
      // Deliveries come first where there is not enough of the processor.
      setPriority(constants.priority.PRIORITY_BELOW_NORMAL / 2)
      const onTrouble = (line: string): void => void process.stderr.write(`${line}\n`)
      return { search: keep(new FileSearchIndex({ dir, clock, onTrouble, ...options })) }
    }),
  /** Control's directory, settings and the facts of all nodes. */
  control: ({ dir }: KindContext) =>
    opened<{
      directory: DirectoryLog & DirectoryImages
      home: HomeShelf
      scriptHome: ScriptShelf
      settings: SettingsStore
      index: EventIndex
      nodes: NodeRegistry
      sessions: SessionShelf
      binds: BindShelf
      upkeep: UpkeepNotes
      sources: SourceShelf
      uses: AppPasswordUses
      tokens: ApiTokenShelf
    }>((keep) => {
      const directory = keep(new SqliteDirectoryLog(join(dir, 'directory.db')))
      return {
        directory,
        home: directory.home,
        scriptHome: directory.scriptHome,
        settings: keep(new SqliteSettingsStore(join(dir, 'settings.db'))),
        index: keep(new SqliteEventIndex({ path: join(dir, 'index.db') })),
        nodes: keep(new SqliteNodeRegistry(join(dir, 'nodes.db'))),
        sessions: keep(new SqliteSessionShelf(join(dir, 'sessions.db'))),
        binds: keep(new SqliteBindShelf(join(dir, 'binds.db'))),
        upkeep: keep(new SqliteUpkeepNotes(join(dir, 'upkeep.db'))),
        sources: keep(new SqliteSourceShelf(join(dir, 'sources.db'))),
        uses: keep(new SqliteAppPasswordUses(join(dir, 'uses.db'))),
        tokens: keep(new SqliteApiTokens(join(dir, 'tokens.db'))),
      }
    }),
}

export type StorageKind = keyof typeof KINDS
/** The services of a kind, as its proxies show them. */
export type ServicesOf<K extends StorageKind> = Awaited<ReturnType<(typeof KINDS)[K]>>['services']

export const isStorageKind = (text: string): text is StorageKind => Object.hasOwn(KINDS, text)
