import type { MailboxId } from '#model/mailbox.ts'
import type { Right } from '#model/acl.ts'
import type { AccountState } from '#store/mailbox/stored-email.ts'
import type { MailboxRow } from '#store/mailbox/mailbox-view.ts'
import { picked, propertiesOf } from '#server/jmap/method/args.ts'
import { changesAsk, CHANGES_ARGS, sorted } from '#server/jmap/method/changes.ts'
import type { EmailView } from '#server/jmap/email/email-views.ts'
import { idsToGet } from '#server/jmap/method/ids.ts'
import { asked, isShared, MAIL, RETENTION } from '#server/jmap/room.ts'
import type { Answer, Call, Method } from '#server/jmap/room.ts'
import { mayIn, mayRead } from '#server/jmap/shares.ts'
import { cannotCalculate, mailboxState, readPosition } from '#server/jmap/method/states.ts'

const MAILBOX_PROPERTIES = [
  'id',
  'name',
  'parentId',
  'role',
  'sortOrder',
  'totalEmails',
  'unreadEmails',
  'totalThreads',
  'unreadThreads',
  'myRights',
  'isSubscribed',
] as const
/** To those who name our capability. */
const RETENTION_PROPERTIES = ['retainDays', 'retention'] as const

export const mailboxProperties = ({ using }: Call): readonly string[] =>
  using.includes(RETENTION) ? [...MAILBOX_PROPERTIES, ...RETENTION_PROPERTIES] : MAILBOX_PROPERTIES

/** Mailboxes that are read side by side. */
const VIEWS_AT_ONCE = 8
const COUNTS = ['totalEmails', 'unreadEmails', 'totalThreads', 'unreadThreads'] as const

/** The account's mailboxes with what only their tree tells. */
export interface Tree {
  readonly state: AccountState
  readonly rows: readonly MailboxRow[]
  readonly byId: ReadonlyMap<string, MailboxRow>
  readonly parentIds: ReadonlyMap<MailboxId, MailboxId>
}

export async function loadTree(call: Call): Promise<Tree> {
  const { state, mailboxes: all } = await call.room.store.mailboxes(asked(call))
  const mailboxes = all.filter((row) => mayIn(row, 'l'))
  const byPath = new Map(mailboxes.map((row) => [row.path.join('\0'), row.id]))
  const parentIds = new Map<MailboxId, MailboxId>()
  for (const { id, path } of mailboxes) {
    const parent = byPath.get(path.slice(0, -1).join('\0'))
    if (path.length > 1 && parent !== undefined) parentIds.set(id, parent)
  }
  return { state, rows: mailboxes, byId: new Map(mailboxes.map((row) => [row.id, row])), parentIds }
}

/** RFC 8621 §2.1. */
export const mailboxGet: Method = {
  name: 'Mailbox/get',
  capability: MAIL,
  args: ['ids', 'properties'],
  async run(call, args): Promise<Answer> {
    const properties = propertiesOf(args, mailboxProperties(call))
    const ids = idsToGet(call, args)
    const tree = await loadTree(call)
    const rows = ids === undefined ? tree.rows : ids.flatMap((id) => tree.byId.get(id) ?? [])
    const list = await describeMailboxes(call, tree, { rows, properties })
    return {
      state: mailboxState(tree.state),
      list,
      notFound: (ids ?? []).filter((id) => !tree.byId.has(id)),
    }
  },
}

async function describeMailboxes(
  call: Call,
  tree: Tree,
  ask: { readonly rows: readonly MailboxRow[]; readonly properties: ReadonlySet<string> },
): Promise<Record<string, unknown>[]> {
  const counts = COUNTS.some((name) => ask.properties.has(name))
    ? await countsOf(call, tree, ask)
    : undefined
  return ask.rows.map((row) =>
    picked({ ...describeMailbox(row, tree), ...counts?.(row) }, ask.properties),
  )
}

/** Where mail programs show it; others follow by name. */
const SORT_ORDER: Readonly<Record<string, number>> = {
  inbox: 1,
  drafts: 2,
  sent: 3,
  archive: 4,
  junk: 5,
  trash: 6,
}

export const sortOrderOf = ({ sortOrder, use }: MailboxRow): number =>
  sortOrder ?? (use === undefined ? undefined : SORT_ORDER[use]) ?? 10

export function describeMailbox(row: MailboxRow, tree: Pick<Tree, 'parentIds'>): Answer {
  const isInbox = isInboxOf(row)
  return {
    id: row.id,
    name: isInbox ? 'Inbox' : row.path.at(-1)!,
    parentId: tree.parentIds.get(row.id) ?? null,
    role: row.use ?? null,
    sortOrder: sortOrderOf(row),
    myRights: rightsOf(row),
    isSubscribed: row.subscribed,
    retainDays: row.retainDays ?? null,
    retention: row.retention,
  }
}

/** To others too, who are told no roles: nobody but its owner has another INBOX. */
export const isInboxOf = ({ path }: MailboxRow): boolean => path.length === 1 && path[0] === 'INBOX'

/** RFC 8621 §2, by the rights of RFC 4314 that it names. */
function rightsOf(row: MailboxRow): Answer {
  const holds = !row.noSelect
  const isInbox = isInboxOf(row)
  const may = (...rights: readonly Right[]): boolean => rights.every((right) => mayIn(row, right))
  return {
    mayReadItems: holds && may('l', 'r'),
    mayAddItems: holds && may('i'),
    mayRemoveItems: holds && may('t', 'e'),
    maySetSeen: holds && may('s'),
    maySetKeywords: holds && may('w'),
    mayCreateChild: may('k'),
    mayRename: !isInbox && may('x'),
    mayDelete: !isInbox && holds && may('x'),
    maySubmit: holds && may('p'),
  }
}

/**
 * Counts of each mailbox. Emails without \Deleted; those of threads from the views, since no row
 * has them. A thread is unread where any of its emails is, in whatever mailbox but the trash (RFC 8621 §2).
 */
async function countsOf(
  call: Call,
  tree: Tree,
  {
    rows,
    properties,
  }: { readonly rows: readonly MailboxRow[]; readonly properties: ReadonlySet<string> },
): Promise<(row: MailboxRow) => Answer> {
  const needsAll = properties.has('unreadThreads')
  const load = async (row: MailboxRow) =>
    row.noSelect || row.messages === 0 || !mayRead(row)
      ? undefined
      : call.room.views.get(asked(call), row.id, row.highestModSeq)
  const wanted = new Set(needsAll ? tree.rows : rows)
  const views = new Map<MailboxId, EmailView | undefined>()
  const queue = [...wanted]
  const work = async (): Promise<void> => {
    for (let row = queue.pop(); row !== undefined; row = queue.pop())
      views.set(row.id, await load(row))
  }
  await Promise.all(Array.from({ length: VIEWS_AT_ONCE }, work))
  const unread = new Set<number>()
  if (needsAll)
    for (const row of tree.rows)
      if (row.use !== 'trash')
        for (const thread of views.get(row.id)?.threadCounts().unread ?? []) unread.add(thread)
  return (row) => {
    const threads = views.get(row.id)?.threadCounts()
    if (threads === undefined)
      return { totalEmails: 0, unreadEmails: 0, totalThreads: 0, unreadThreads: 0 }
    const isTrash = row.use === 'trash'
    return {
      totalEmails: row.messages - row.deleted,
      unreadEmails: threads.unreadEmails,
      totalThreads: threads.all.size,
      unreadThreads: isTrash ? threads.unread.size : common(threads.all, unread),
    }
  }
}

function common(a: ReadonlySet<number>, b: ReadonlySet<number>): number {
  const [small, large] = a.size < b.size ? [a, b] : [b, a]
  let count = 0
  for (const each of small) if (large.has(each)) count++
  return count
}

/** RFC 8621 §2.2. */
export const mailboxChanges: Method = {
  name: 'Mailbox/changes',
  capability: MAIL,
  args: CHANGES_ARGS,
  async run(call, args): Promise<Answer> {
    const { since, limit } = changesAsk(args)
    const { modSeq, nextEmail: nextMailbox } = readPosition(since)
    const found = await call.room.store.mailboxChanges({
      ...asked(call),
      since: { modSeq, nextMailbox },
    })
    if (found === undefined) throw cannotCalculate()
    let told = found.changes
    if (told.length > limit) {
      // What one commit did to several mailboxes has one MODSEQ and is told together.
      const cutAt = told[limit]!.modSeq
      told = told.slice(0, limit).filter((change) => change.modSeq < cutAt)
      if (told.length === 0) throw cannotCalculate()
    }
    const more = told.length < found.changes.length
    // To a reader it may be that they subscribe, which is told like a change of messages.
    const onlyCounts =
      !isShared(call) &&
      told.every(({ isNew, isGone, countsOnly }) => countsOnly && !isNew && !isGone)
    return {
      oldState: since,
      newState: mailboxState(
        more ? { ...found.state, modSeq: told.at(-1)!.modSeq, nextMailbox } : found.state,
      ),
      hasMoreChanges: more,
      ...sorted(told.map(({ mailboxId, ...change }) => ({ id: mailboxId, ...change }))),
      updatedProperties: told.length > 0 && onlyCounts ? COUNTS : null,
    }
  },
}
