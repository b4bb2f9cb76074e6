import { asciiLower } from '#base/text.ts'
import type { MailboxRow } from '#store/mailbox/mailbox-view.ts'
import type { Args } from '#server/jmap/method/args.ts'
import { isId } from '#server/jmap/method/args.ts'
import { loadTree, sortOrderOf } from './mailbox-get.ts'
import type { Tree } from './mailbox-get.ts'
import { invalidArguments } from '#server/jmap/method/method-error.ts'
import {
  QUERY_ARGS,
  QUERY_CHANGES_ARGS,
  queryChanges,
  readFilter,
  readSort,
  readWindow,
  sinceQueryState,
} from '#server/jmap/method/query-frame.ts'
import type { Compare, Conditions } from '#server/jmap/method/query-frame.ts'
import { asked, isShared, MAIL } from '#server/jmap/room.ts'
import type { Answer, Method } from '#server/jmap/room.ts'
import { cannotCalculate, mailboxState, readPosition } from '#server/jmap/method/states.ts'

/** RFC 8621 §2.3. */
export const mailboxQuery: Method = {
  name: 'Mailbox/query',
  capability: MAIL,
  args: [...QUERY_ARGS, 'sortAsTree', 'filterAsTree'],
  async run(call, args): Promise<Answer> {
    const tree = await loadTree(call)
    const [sortAsTree, filterAsTree] = [args.flag('sortAsTree'), args.flag('filterAsTree')]
    return {
      queryState: mailboxState(tree.state),
      // A mailbox takes those below along, which have not changed themselves.
      canCalculateChanges: !sortAsTree && !filterAsTree,
      ...readWindow(args, results(args, tree, { sortAsTree, filterAsTree })),
    }
  },
}

/** RFC 8621 §2.4. */
export const mailboxQueryChanges: Method = {
  name: 'Mailbox/queryChanges',
  capability: MAIL,
  args: [...QUERY_CHANGES_ARGS, 'sortAsTree', 'filterAsTree'],
  async run(call, args): Promise<Answer> {
    const since = sinceQueryState(args)
    const { modSeq, nextEmail: nextMailbox } = readPosition(since)
    const tree = await loadTree(call)
    const all = results(args, tree, {})
    if (args.flag('sortAsTree') || args.flag('filterAsTree')) throw cannotCalculate()
    const found = await call.room.store.mailboxChanges({
      ...asked(call),
      since: { modSeq, nextMailbox },
    })
    if (found === undefined) throw cannotCalculate()
    const touched = found.changes
      // Nothing is found or sorted by counts; whether a reader subscribes is told like them.
      .filter((change) => !change.countsOnly || change.isNew || change.isGone || isShared(call))
      .map(({ mailboxId, isNew }) => [mailboxId, { wasThere: !isNew }] as const)
    return queryChanges(args, {
      oldState: since,
      newState: mailboxState(tree.state),
      touched: new Map(touched),
      all,
    })
  },
}

function results(
  args: Args,
  tree: Tree,
  how: { readonly sortAsTree?: boolean; readonly filterAsTree?: boolean },
): string[] {
  const test = readFilter(args.value('filter'), conditionsOf(tree))
  const isWithin = (row: MailboxRow): boolean => {
    const parent = tree.byId.get(tree.parentIds.get(row.id) ?? '')
    return test(row) && (how.filterAsTree !== true || parent === undefined || isWithin(parent))
  }
  const rows = tree.rows.filter(isWithin).toSorted(readSort(args.list('sort') ?? [], COMPARES))
  return (how.sortAsTree === true ? inTreeOrder(rows, tree) : rows).map(({ id }) => id)
}

const conditionsOf =
  (tree: Tree): Conditions<MailboxRow> =>
  (name, value) => {
    if (name === 'parentId') {
      if (value !== null && !isId(value)) throw invalidArguments('parentId is an Id or null')
      return ({ id }) => (tree.parentIds.get(id) ?? null) === value
    }
    if (name === 'role') {
      if (value !== null && typeof value !== 'string')
        throw invalidArguments('role is a String or null')
      return ({ use }) => (use ?? null) === value
    }
    if (name === 'hasAnyRole' || name === 'isSubscribed') {
      if (typeof value !== 'boolean') throw invalidArguments(`${name} is a Boolean`)
      return ({ use, subscribed }) =>
        (name === 'hasAnyRole' ? use !== undefined : subscribed) === value
    }
    if (name !== 'name') return undefined
    if (typeof value !== 'string') throw invalidArguments('name is a String')
    const wanted = folded(value)
    return ({ path }) => folded(path.at(-1)!).includes(wanted)
  }

const folded = (text: string): string => text.normalize('NFKC').toLowerCase()

const COMPARES: Readonly<Record<string, Compare<MailboxRow>>> = {
  name: (a, b) => compareText(a.path.at(-1)!, b.path.at(-1)!),
  sortOrder: (a, b) => sortOrderOf(a) - sortOrderOf(b),
}

const compareText = (a: string, b: string): number => {
  const [x, y] = [asciiLower(a.normalize('NFKC')), asciiLower(b.normalize('NFKC'))]
  return x < y ? -1 : x > y ? 1 : 0
}

function inTreeOrder(rows: readonly MailboxRow[], tree: Tree): MailboxRow[] {
  const children = Map.groupBy(rows, ({ id }) => tree.parentIds.get(id))
  const shown = new Set<string>(rows.map(({ id }) => id))
  const visit = (row: MailboxRow): MailboxRow[] => [
    row,
    ...(children.get(row.id) ?? []).flatMap(visit),
  ]
  // A child whose parent is filtered out stands at the top.
  return rows.filter(({ id }) => !shown.has(tree.parentIds.get(id) ?? '')).flatMap(visit)
}
