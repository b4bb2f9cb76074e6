import { asciiLower } from '#base/text.ts'
import type { MailboxId } from '#model/mailbox.ts'
import type { MailboxRow } from '#store/mailbox/mailbox-view.ts'
import { isObject } from './args.ts'
import { FILTER_CONDITIONS_MAX, FILTER_DEPTH_MAX } from './limits.ts'
import { loadTree, SORT_ORDER } from './mailbox-get.ts'
import type { Tree } from './mailbox-get.ts'
import { invalidArguments, MethodError } from './method-error.ts'
import { MAIL } from './room.ts'
import type { Answer, Method } from './room.ts'
import { cannotCalculate, mailboxState } from './states.ts'

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
