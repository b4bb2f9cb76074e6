import { DELETED } from '#model/mailbox.ts'
import type { Args } from '#server/jmap/method/args.ts'
import { isObject } from '#server/jmap/method/args.ts'
import { mayRead } from '#server/jmap/shares.ts'
import { accountState } from './emails.ts'
import { consult } from './consult.ts'
import { compileFilter } from './email-filter.ts'
import type { Candidate, Filter } from './email-filter.ts'
import type { EmailView } from './email-views.ts'
import { compareBy, isContentSort, ordered } from './email-order.ts'
import type { SortKey } from './email-order.ts'
import { queryState } from '#server/jmap/method/states.ts'
import { matching, sortTexts } from './message-texts.ts'
import { invalidArguments, MethodError } from '#server/jmap/method/method-error.ts'
import { QUERY_ARGS, shownIn, windowAsk } from '#server/jmap/method/query-frame.ts'
import type { Window } from '#server/jmap/method/query-frame.ts'
import { MAIL, asked } from '#server/jmap/room.ts'
import type { Answer, Call, Method } from '#server/jmap/room.ts'

const LIMIT_MAX = 5_000
const BATCH = 400

interface Ask extends Window {
  readonly filter: Filter
  readonly sort: readonly SortKey[]
  readonly collapse: boolean
}

/** RFC 8621 §4.4. */
export const emailQuery: Method = {
  name: 'Email/query',
  capability: MAIL,
  args: [...QUERY_ARGS, 'collapseThreads'],
  async run(call, args): Promise<Answer> {
    const ask = readEmailQuery(args)
    const { views, state } = await viewsFor(call, ask.filter)
    return {
      queryState: state,
      canCalculateChanges: true,
      ...(await findEmails(call, ask, views)),
      ...(ask.limit < (args.count('limit') ?? Infinity) ? { limit: ask.limit } : {}),
    }
  },
}

export function readEmailQuery(args: Args): Ask {
  return {
    filter: compileFilter(args.value('filter')),
    sort: readSort(args),
    collapse: args.flag('collapseThreads'),
    ...windowAsk(args, LIMIT_MAX),
  }
}

export const SORTS: readonly string[] = 'receivedAt size hasKeyword subject from to sentAt'.split(
  ' ',
)
/** Emails whose content is read to sort them. */
const CONTENT_SORT_MAX = 20_000

function readSort(args: Args): readonly SortKey[] {
  const list = args.list('sort') ?? []
  if (list.length > 10) throw new MethodError('unsupportedSort', 'At most 10 comparators')
  const keys = list.map((each): SortKey => {
    if (!isObject(each) || typeof each['property'] !== 'string')
      throw invalidArguments('a comparator has a property')
    const { property, isAscending = true, keyword } = each
    if (typeof isAscending !== 'boolean') throw invalidArguments('isAscending is not a Boolean')
    if (!SORTS.includes(property))
      throw new MethodError('unsupportedSort', `sorts: ${SORTS.join(', ')}`)
    if (property === 'hasKeyword' && typeof keyword !== 'string')
      throw invalidArguments('hasKeyword needs a keyword')
    return { property, isAscending, keyword: keyword as string | undefined }
  })
  return keys.length === 0
    ? [{ property: 'receivedAt', isAscending: false, keyword: undefined }]
    : keys
}

/** The views that can hold results. */
export async function viewsFor(
  call: Call,
  filter: Filter,
): Promise<{ readonly views: readonly EmailView[]; readonly state: string }> {
  const { room } = call
  if (filter.mailboxId !== undefined) {
    const view = await room.views.get(asked(call), filter.mailboxId)
    if (view === undefined || !mayRead(view.mailbox)) {
      const { nextEmail } = await accountState(call)
      return { views: [], state: queryState({ modSeq: 0, nextEmail }) }
    }
    const { mailbox, nextEmail } = view
    return {
      views: [view],
      state: queryState({ modSeq: Number(mailbox.highestModSeq), nextEmail }),
    }
  }
  const { mailboxes, state } = await room.store.mailboxes(asked(call))
  const views: EmailView[] = []
  for (const row of mailboxes) {
    if (row.noSelect || row.messages === 0 || !mayRead(row)) continue
    const view = await room.views.get(asked(call), row.id, row.highestModSeq)
    if (view !== undefined) views.push(view)
  }
  return { views, state: queryState(state) }
}

const idOf = ({ view, row }: Candidate): string => `E${view.tag}${view.emails[row]!.toString(36)}`

export async function findEmails(
  call: Call,
  ask: Ask,
  views: readonly EmailView[],
): Promise<ReturnType<typeof shownIn>> {
  const isByDate = ask.sort[0]!.property === 'receivedAt'
  const [only] = views
  if (ask.filter.isMailboxOnly && isByDate && !ask.sort[0]!.isAscending && only !== undefined) {
    const rows = only.newest(ask.collapse ? 'collapsed' : 'all')
    return shownIn(ask, { length: rows.length, at: (i) => idOf({ view: only, row: rows[i]! }) })
  }
  await consult(call, ask.filter, views)
  const order = ordered(views, { newestFirst: !(isByDate && ask.sort[0]!.isAscending) })
  // Without an end to count to, what lies behind the page is not looked at.
  const enough =
    !isByDate || ask.anchor !== undefined || ask.position < 0 || ask.calculateTotal
      ? Infinity
      : ask.position + ask.limit
  let found: Candidate[] = []
  const seen = { emails: new Set<number>(), threads: new Set<number>() }
  const isAlone = views.length === 1 && !views[0]!.hasTwins()
  const untilMs = call.room.clock.monotonicMs() + call.room.limits.searchMs
  const take = (candidates: readonly Candidate[]): void => {
    for (const candidate of candidates) {
      const { view, row } = candidate
      if (!isAlone && !added(seen.emails, view.emails[row]!)) continue
      if (isByDate && ask.collapse && !added(seen.threads, view.threads[row]!)) continue
      found.push(candidate)
    }
  }
  let open: Candidate[] = []
  let needsReading = false
  const settle = async (): Promise<void> => {
    const batch = { candidates: open, untilMs }
    take(needsReading ? await matching(call, ask.filter, batch) : open)
    open = []
    needsReading = false
  }
  for (let i = 0; i < order.length && found.length < enough; i++) {
    const candidate = order.at(i)
    if ((candidate.view.flags[candidate.row]! & DELETED) !== 0) continue
    const result = ask.filter.test(candidate, {})
    if (result === false) continue
    needsReading ||= result !== true
    open.push(candidate)
    if (open.length >= (needsReading ? BATCH : 1_000)) await settle()
    if (call.signal.aborted) break
  }
  await settle()
  if (!isByDate) found = await sortedOf(call, found, ask)
  return shownIn(ask, { length: found.length, at: (i) => idOf(found[i]!) })
}

const added = (set: Set<number>, value: number): boolean => {
  if (set.has(value)) return false
  set.add(value)
  return true
}

async function sortedOf(call: Call, found: Candidate[], ask: Ask): Promise<Candidate[]> {
  const byContent = ask.sort.some(isContentSort)
  if (byContent && found.length > CONTENT_SORT_MAX)
    throw new MethodError('unsupportedSort', `${found.length} emails are too many for that sort`)
  const texts = byContent ? await sortTexts(call, found) : new Map<Candidate, never>()
  const sorted = found.sort(compareBy(ask.sort, texts))
  if (!ask.collapse) return sorted
  const threads = new Set<number>()
  return sorted.filter(({ view, row }) => added(threads, view.threads[row]!))
}
