import { asciiLower } from '#base/text.ts'
import type { MailboxId } from '#model/mailbox.ts'
import type { AccountState, MailboxRow } from '#store/mailbox/mailbox-store.ts'
import { isObject, picked, propertiesOf } from './args.ts'
import { changesAsk, CHANGES_ARGS, sorted } from './email-changes.ts'
import type { EmailView } from './email-views.ts'
import { idsToGet } from './ids.ts'
import { FILTER_CONDITIONS_MAX, FILTER_DEPTH_MAX } from './limits.ts'
import { invalidArguments, MethodError } from './method-error.ts'
import { MAIL } from './room.ts'
import type { Answer, Call, Method } from './room.ts'
import { cannotCalculate, mailboxState, readPosition } from './states.ts'

export const MAILBOX_PROPERTIES = [
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
  const { state, mailboxes } = await call.room.store.mailboxes({ accountId: call.account.id })
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
    const properties = propertiesOf(args, MAILBOX_PROPERTIES)
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

export function describeMailbox(row: MailboxRow, tree: Pick<Tree, 'parentIds'>): Answer {
  const isInbox = row.use === 'inbox'
  const holds = !row.noSelect
  return {
    id: row.id,
    name: isInbox ? 'Inbox' : row.path.at(-1)!,
    parentId: tree.parentIds.get(row.id) ?? null,
    role: row.use ?? null,
    sortOrder: (row.use === undefined ? undefined : SORT_ORDER[row.use]) ?? 10,
    myRights: {
      mayReadItems: holds,
      mayAddItems: holds,
      mayRemoveItems: holds,
      maySetSeen: holds,
      maySetKeywords: holds,
      mayCreateChild: true,
      mayRename: !isInbox,
      mayDelete: !isInbox && holds,
      maySubmit: holds,
    },
    isSubscribed: row.subscribed,
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
    row.noSelect || row.messages === 0
      ? undefined
      : call.room.views.get(call.account.id, row.id, row.highestModSeq)
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
    const accountId = call.account.id
    const found = await call.room.store.mailboxChanges({
      accountId,
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
    const onlyCounts = told.every(
      ({ isNew, isGone, countsOnly }) => countsOnly && !isNew && !isGone,
    )
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

type Test = (row: MailboxRow) => boolean

function compileMailboxFilter(given: unknown, tree: Tree, depth = 0): Test {
  if (given === undefined) return () => true
  if (!isObject(given)) throw invalidArguments('a filter is an object')
  if (depth > FILTER_DEPTH_MAX) throw new MethodError('unsupportedFilter')
  const { operator, conditions } = given
  if (operator !== undefined) {
    if (!Array.isArray(conditions) || conditions.length > FILTER_CONDITIONS_MAX)
      throw invalidArguments('an operator has a list of conditions')
    const tests = (conditions as unknown[]).map((each) =>
      compileMailboxFilter(each ?? 0, tree, depth + 1),
    )
    if (operator === 'AND') return (row) => tests.every((test) => test(row))
    if (operator === 'OR') return (row) => tests.some((test) => test(row))
    if (operator === 'NOT') return (row) => !tests.some((test) => test(row))
    throw invalidArguments('an operator is AND, OR or NOT')
  }
  const tests = Object.entries(given).map(([name, value]): Test => {
    if (name === 'parentId') return ({ id }) => (tree.parentIds.get(id) ?? null) === value
    if (name === 'role') return ({ use }) => (use ?? null) === value
    if (name === 'hasAnyRole') return ({ use }) => (use !== undefined) === value
    if (name === 'isSubscribed') return ({ subscribed }) => subscribed === value
    if (name === 'name' && typeof value === 'string') {
      const wanted = value.normalize('NFKC').toLowerCase()
      return ({ path }) => path.at(-1)!.normalize('NFKC').toLowerCase().includes(wanted)
    }
    throw new MethodError('unsupportedFilter', `no condition like ${name.slice(0, 100)}`)
  })
  return (row) => tests.every((test) => test(row))
}

/** RFC 8621 §2.3. */
export const mailboxQuery: Method = {
  name: 'Mailbox/query',
  capability: MAIL,
  args: [
    'filter',
    'sort',
    'position',
    'anchor',
    'anchorOffset',
    'limit',
    'calculateTotal',
    'sortAsTree',
    'filterAsTree',
  ],
  async run(call, args): Promise<Answer> {
    const tree = await loadTree(call)
    const test = compileMailboxFilter(args.value('filter'), tree)
    const asTree = args.flag('filterAsTree')
    const isWithin = (row: MailboxRow): boolean => {
      const parent = tree.byId.get(tree.parentIds.get(row.id) ?? '')
      return test(row) && (!asTree || parent === undefined || isWithin(parent))
    }
    const compare = readMailboxSort(args.list('sort') ?? [])
    const rows = tree.rows.filter(isWithin).toSorted(compare)
    const all = (args.flag('sortAsTree') ? inTreeOrder(rows, tree) : rows).map(({ id }) => id)
    const total = all.length
    const anchor = args.id('anchor')
    const given = args.int('position') ?? 0
    let position = given < 0 ? Math.max(0, total + given) : given
    if (anchor !== undefined) {
      const index = all.indexOf(anchor as MailboxId)
      if (index < 0) throw new MethodError('anchorNotFound')
      position = Math.max(0, index + (args.int('anchorOffset') ?? 0))
    }
    return {
      queryState: mailboxState(tree.state),
      canCalculateChanges: false,
      position,
      ids: all.slice(position, position + (args.count('limit') ?? total)),
      ...(args.flag('calculateTotal') ? { total } : {}),
    }
  },
}

type Compare = (a: MailboxRow, b: MailboxRow) => number

const COMPARES: Readonly<Record<string, Compare>> = {
  name: (a, b) => compareText(a.path.at(-1)!, b.path.at(-1)!),
  sortOrder: (a, b) => (SORT_ORDER[a.use ?? ''] ?? 10) - (SORT_ORDER[b.use ?? ''] ?? 10),
}

const compareText = (a: string, b: string): number => {
  const [x, y] = [asciiLower(a.normalize('NFKC')), asciiLower(b.normalize('NFKC'))]
  return x < y ? -1 : x > y ? 1 : 0
}

function readMailboxSort(list: readonly unknown[]): Compare {
  const compares = list.slice(0, 10).map((each): Compare => {
    if (!isObject(each) || typeof each['property'] !== 'string')
      throw invalidArguments('a comparator has a property')
    const { property, isAscending = true } = each
    const compare = Object.hasOwn(COMPARES, property) ? COMPARES[property] : undefined
    if (compare === undefined) throw new MethodError('unsupportedSort', 'sorts: name, sortOrder')
    return isAscending === false ? (a, b) => compare(b, a) : compare
  })
  return (a, b) => {
    for (const compare of compares) {
      const result = compare(a, b)
      if (result !== 0) return result
    }
    return 0
  }
}

function inTreeOrder(rows: readonly MailboxRow[], tree: Tree): MailboxRow[] {
  const children = Map.groupBy(rows, ({ id }) => tree.parentIds.get(id))
  const shown = new Set(rows.map(({ id }) => id))
  const visit = (row: MailboxRow): MailboxRow[] => [
    row,
    ...(children.get(row.id) ?? []).flatMap(visit),
  ]
  // A child whose parent is filtered out stands at the top.
  return rows
    .filter(({ id }) => !shown.has(tree.parentIds.get(id) ?? ('' as MailboxId)))
    .flatMap(visit)
}

export const mailboxQueryChanges: Method = {
  name: 'Mailbox/queryChanges',
  capability: MAIL,
  args: ['filter', 'sort', 'sinceQueryState', 'maxChanges', 'upToId', 'calculateTotal'],
  run: () => Promise.reject(cannotCalculate()),
}
