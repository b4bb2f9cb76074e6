import { join } from 'node:path'
import type { Clock } from '#base/time.ts'
import { MimeIndexer } from '#codec/mime/indexer.ts'
import type { NodeId } from '#model/event.ts'
import { SqliteDirectoryLog } from '#store/directory/directory-log.ts'
import type { DirectoryLog } from '#store/directory/directory-log.ts'
import { SqliteReplica } from '#store/directory/replica.ts'
import type { DirectoryReplica } from '#store/directory/replica.ts'
import { SqliteEventIndex } from '#store/events/event-index.ts'
import type { EventIndex } from '#store/events/event-index.ts'
import { SqliteEventLog } from '#store/events/event-log.ts'
import type { EventLog } from '#store/events/event-log.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import { openMailboxes } from '#store/mailbox/open.ts'
import { SqliteSettingsStore } from '#store/settings/generations.ts'
import type { SettingsStore } from '#store/settings/generations.ts'
import { FileSettingsCopy } from '#store/settings/settings-copy.ts'
import type { SettingsCopy } from '#store/settings/settings-copy.ts'
import { openSpool } from '#store/spool/open.ts'
import type { SpoolStore } from '#store/spool/spool-store.ts'
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
}

interface OpenedKind<S extends Services> {
  readonly services: S
  close(): Promise<void>
}

/** A node's own copies of what control hands down, and the facts that it has not shipped yet. */
type NodeServices = {
  readonly replica: DirectoryReplica
  readonly copy: SettingsCopy
  readonly events: EventLog
}

function openNodeServices(dir: string, node: string): OpenedKind<NodeServices> {
  const replica = new SqliteReplica(join(dir, 'directory.db'))
  const events = new SqliteEventLog({ path: join(dir, 'events.db'), node: node as NodeId })
  const copy = new FileSettingsCopy(join(dir, 'settings.json'))
  const close = async (): Promise<void> => {
    replica.close()
    events.close()
  }
  return { services: { replica, copy, events }, close }
}

/** The stores of one volume, by the kind of its storage child. Each kind's services open together. */
export const KINDS = {
  /** A gateway's queue. */
  spool: async ({
    dir,
    clock,
    options,
  }: KindContext): Promise<OpenedKind<NodeServices & { spool: SpoolStore }>> => {
    const spool = await openSpool({ dir, clock, ...options })
    const node = openNodeServices(dir, 'gateway')
    return {
      services: { spool, ...node.services },
      close: async () => {
        await spool.close()
        await node.close()
      },
    }
  },
  /** A store's mailboxes. */
  mailbox: async ({
    dir,
    clock,
    options,
    notify,
  }: KindContext): Promise<OpenedKind<NodeServices & { mailboxes: MailboxStore }>> => {
    const mailboxes = await openMailboxes({
      dir,
      clock,
      parser: () => new MimeIndexer(),
      onChange: (change) => notify('changed', change),
      ...options,
    })
    const node = openNodeServices(dir, 'store')
    return {
      services: { mailboxes, ...node.services },
      close: async () => {
        await mailboxes.close()
        await node.close()
      },
    }
  },
  /** Control's directory, settings and the facts of all nodes. */
  control: async ({
    dir,
  }: KindContext): Promise<
    OpenedKind<{ directory: DirectoryLog; settings: SettingsStore; index: EventIndex }>
  > => {
    const directory = new SqliteDirectoryLog(join(dir, 'directory.db'))
    const settings = new SqliteSettingsStore(join(dir, 'settings.db'))
    const index = new SqliteEventIndex({ path: join(dir, 'index.db') })
    const close = async (): Promise<void> => {
      directory.close()
      settings.close()
      index.close()
    }
    return { services: { directory, settings, index }, close }
  },
}

export type StorageKind = keyof typeof KINDS
/** The services of a kind, as its proxies show them. */
export type ServicesOf<K extends StorageKind> = Awaited<ReturnType<(typeof KINDS)[K]>>['services']

export const isStorageKind = (text: string): text is StorageKind => Object.hasOwn(KINDS, text)
