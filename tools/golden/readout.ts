import { createHash } from 'node:crypto'
import { toUtf8Strict } from '#base/octets.ts'
import { FakeClock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { ModSeq, Uid } from '#model/mailbox.ts'
import { readChanges, readRows } from '#store/directory/rows-text.ts'
import type { RowsText } from '#store/directory/rows-text.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import { storedMetas } from '#store/mailbox/meta-records.ts'
import { OBJECT_KINDS } from '#store/mailbox/kept-object.ts'
import { OPERATION } from './fill.ts'
import { KINDS } from '#app/storage/kinds.ts'
import type { ServicesOf, StorageKind } from '#app/storage/kinds.ts'

/**
 * Kinds of folders that golden data is of: `copies` is what a deliver had before it had a queue. A search
 * index has none: it is made anew.
 */
export type GoldenKind = Exclude<StorageKind, 'search'> | 'copies'

/** Opens a folder as its storage child would, at the time at which golden data is made. */
export const openKind = (
  kind: GoldenKind,
  dir: string,
  clock = new FakeClock(),
): ReturnType<(typeof KINDS)[StorageKind]> =>
  KINDS[kind === 'copies' ? 'spool' : kind]({
    dir,
    clock,
    options: { reserveBytes: 0, ...(kind === 'copies' && { queueOf: 'deliver' }) },
    notify: () => undefined,
  })

const TEXT_BYTES_MAX = 1_000
const LIMIT = 1_000
const BYTES = 1024 * 1024

/** What is told of old data since its readout was written. */
const LATER: ReadonlySet<string> = new Set(['retention', 'recentFrom'])

/** As JSON holds it: short texts as they are, other octets by length and hash. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof Uint8Array) {
    const text = value.length > TEXT_BYTES_MAX ? undefined : toUtf8Strict(value)
    const sha256 = createHash('sha256').update(value).digest('hex')
    return text ?? { bytes: value.length, sha256 }
  }
  if (ArrayBuffer.isView(value)) return Array.from(value as Float64Array)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, each]) => each !== undefined && !LATER.has(key))
      .map(([key, each]) => [key, plain(each)]),
  )
}

async function accountOf(store: MailboxStore, accountId: AccountId): Promise<unknown> {
  const { mailboxes, subscriptions } = await store.mailboxes({ accountId })
  const views = []
  for (const { id, noSelect } of mailboxes) {
    if (noSelect) continue
    const ask = { accountId, mailboxId: id }
    const whole = await store.view(ask)
    const since = await store.view({ ...ask, since: whole!.mailbox.highestModSeq })
    const changes = await store.view({ ...ask, since: 1n as ModSeq })
    const uids = [...whole!.uids, ...changes!.vanished] as Uid[]
    const octets = []
    for (const uid of uids)
      octets.push((await store.read({ ...ask, uid, offset: 0, length: BYTES })).octets)
    const metas = await Array.fromAsync(storedMetas(store, { ...ask, uids }))
    const { ids } = await store.ids({ ...ask, uids })
    views.push({ whole, vanished: changes!.vanished, since: since!.uids, metas, ids, octets })
  }
  const scripts = []
  for (const { name } of (await store.scripts({ accountId })).scripts)
    scripts.push((await store.script({ accountId, name })).script)
  return {
    mailboxes,
    subscriptions,
    views,
    scripts,
    ...(await keptOf(store, accountId)),
    ...(await sharedOf(store, accountId)),
  }
}

/** Who else may do what, and what they have read; nothing where nothing was ever granted. */
async function sharedOf(store: MailboxStore, accountId: AccountId): Promise<object> {
  const shared = []
  for (const { id } of (await store.mailboxes({ accountId })).mailboxes) {
    const { entries = [] } = await store.acl({ accountId, mailboxId: id })
    if (entries.length === 0) continue
    const by = 'taro' as AccountId
    const view = await store.view({ accountId, by, mailboxId: id })
    shared.push({ id, entries, view })
  }
  if (shared.length === 0) return {}
  return { shared, usage: await store.usage({ accountId }) }
}

/** Nothing where nothing is kept, as in the first folders. */
async function keptOf(store: MailboxStore, accountId: AccountId): Promise<object> {
  const kept: Record<string, unknown> = {}
  for (const kind of OBJECT_KINDS) {
    const { state, objects } = await store.objects({ accountId, kind })
    const changes = await store.objectChanges({ accountId, kind, since: 0, limit: LIMIT })
    if (state > 0) kept[kind] = { state, objects, changes }
  }
  const ask = { accountId, id: 'U1' }
  const { upload } = await store.upload(ask)
  if (upload === undefined) return kept
  const { octets } = await store.readUpload({ ...ask, offset: 0, length: BYTES })
  return { ...kept, upload, octets }
}

/** What commits have noted for somebody; nothing where nobody was told anything. */
async function notedOf(store: MailboxStore): Promise<object> {
  const { events } = await store.scriptEvents({ limit: LIMIT })
  const { reports } = await store.junkReports({ limit: LIMIT })
  const { arrivals } = await store.arrivals({ door: 'lmtp' })
  const { results } = await store.outcome({ operation: OPERATION })
  const memory = { accountId: 'hanako' as AccountId, keys: ['vacation 太郎@b.example'] }
  const { keys } = await store.remembered(memory)
  if (arrivals.length === 0) return {}
  return { noted: { events, reports, arrivals, results, keys } }
}

type NodeServices = Pick<ServicesOf<'mailbox'>, 'replica' | 'events' | 'copy'>

const nodeReadout = async ({ replica, events, copy }: NodeServices): Promise<object> => ({
  replica: rowsOf(await replica.load({ after: 0, limit: LIMIT })),
  events: await events.since({ after: 0, limit: LIMIT }),
  eventsStatus: await events.status(),
  copy: await copy.load(),
})

const rowsOf = (page: RowsText) => ({ seq: page.seq, rows: readRows(page).map(({ row }) => row) })

/** All that can be asked of a folder's stores, as plain JSON. */
export const READOUTS: {
  readonly [K in GoldenKind]: (
    services: ServicesOf<K extends StorageKind ? K : 'spool'>,
  ) => Promise<unknown>
} = {
  mailbox: async ({ mailboxes, ...node }) => {
    const accounts = []
    for (const id of ['hanako', 'taro']) accounts.push(await accountOf(mailboxes, id as AccountId))
    const { items } = await mailboxes.outbox({ limit: LIMIT })
    const outbox = []
    for (const item of items) {
      const ask = { id: item.id, offset: 0, length: BYTES }
      outbox.push({ item, octets: (await mailboxes.readOutbox(ask)).octets })
    }
    const { freeBytes: _, ...status } = await mailboxes.status()
    const noted = await notedOf(mailboxes)
    return plain({ accounts, outbox, status, ...noted, ...(await nodeReadout(node)) })
  },
  spool: async ({ spool, ...node }) => {
    const { messages } = await spool.list({ limit: LIMIT })
    const octets = []
    for (const { queueId } of messages)
      octets.push((await spool.read({ queueId, offset: 0, length: BYTES })).octets)
    const { freeBytes: _, ...status } = await spool.status()
    return plain({ messages, octets, status, ...(await nodeReadout(node)) })
  },
  copies: async (node) => plain(await nodeReadout(node)),
  control: async ({ directory, settings, index }) => {
    const generations = []
    for (const { generation } of (await settings.history({ limit: LIMIT })).items)
      generations.push((await settings.generation({ number: generation })).generation)
    const tables = []
    for (const generation of generations)
      for (const hash of Object.values(generation?.tables ?? {}))
        tables.push({ hash, ...(await settings.table({ hash })) })
    const traces = []
    for (const by of [
      { kind: 'deliveryId', deliveryId: 'D1' },
      { kind: 'messageId', messageId: '<1@campus.example>' },
      { kind: 'address', address: 'hanako@campus.example' },
    ] as const)
      traces.push(await index.trace({ by, limit: LIMIT }))
    const changes = await directory.changes({ since: 0, limit: LIMIT })
    return plain({
      rows: rowsOf(await directory.rows({ after: 0, limit: LIMIT })),
      changes: { seq: changes.seq, changes: readChanges(changes) },
      history: await directory.history({ limit: LIMIT }),
      generations,
      tables,
      draft: await settings.draft(),
      traces,
      latest: await index.latest({ limit: LIMIT }),
      gaps: await index.gaps({ limit: LIMIT }),
    })
  },
}
