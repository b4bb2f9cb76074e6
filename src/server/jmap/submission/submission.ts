import type { KeptObject } from '#store/mailbox/kept-object.ts'
import { isId } from '#server/jmap/method/args.ts'
import { CHANGES_ARGS } from '#server/jmap/method/changes.ts'
import { utcDate } from '#server/jmap/email/header-forms.ts'
import { invalidArguments } from '#server/jmap/method/method-error.ts'
import {
  getObjects,
  objectChanges,
  objectState,
  readObjectState,
} from '#server/jmap/method/objects.ts'
import {
  QUERY_ARGS,
  QUERY_CHANGES_ARGS,
  queryChanges,
  readFilter,
  readSort,
  readWindow,
  sinceQueryState,
} from '#server/jmap/method/query-frame.ts'
import type { Compare, Test } from '#server/jmap/method/query-frame.ts'
import { SUBMISSION } from '#server/jmap/room.ts'
import type { Answer, Call, Method } from '#server/jmap/room.ts'
import type { Args } from '#server/jmap/method/args.ts'
import { cannotCalculate } from '#server/jmap/method/states.ts'

/** What is kept of a submission. */
export interface SubmissionValue {
  readonly identityId: string
  readonly emailId: string
  readonly threadId: string
  readonly envelope: Answer
  readonly sendAtMs: number
  /** `held`: it could be called back as long as its outbox entry waits. */
  readonly fate: 'sent' | 'held' | 'canceled'
}

export interface Submission extends KeptObject {
  readonly value: SubmissionValue & Readonly<Record<string, unknown>>
}

const SUBMISSION_PROPERTIES: readonly string[] =
  'id identityId emailId threadId envelope sendAt undoStatus deliveryStatus dsnBlobIds mdnBlobIds'.split(
    ' ',
  )

export interface Submissions {
  readonly state: number
  readonly objects: readonly Submission[]
}

export const loadSubmissions = async (call: Call): Promise<Submissions> =>
  (await call.room.store.objects({
    accountId: call.account.id,
    kind: 'EmailSubmission',
  })) as Submissions

export const undoStatus = ({ value, waits }: Pick<Submission, 'value' | 'waits'>): string => {
  if (value.fate === 'canceled') return 'canceled'
  return value.fate === 'held' && waits ? 'pending' : 'final'
}

/** RFC 8621 §7. */
export const showSubmission = ({ id, value, waits }: Omit<Submission, 'madeAtMs'>): Answer => ({
  id,
  identityId: value.identityId,
  emailId: value.emailId,
  threadId: value.threadId,
  envelope: value.envelope,
  sendAt: utcDate(value.sendAtMs),
  undoStatus: undoStatus({ value, waits }),
  deliveryStatus: value.fate === 'canceled' ? null : deliveryStatus(value.envelope, waits),
  dsnBlobIds: [],
  mdnBlobIds: [],
})

/** What we know: it waits here, or a gateway's queue has it, which sends its DSN to the mailbox. */
function deliveryStatus(envelope: Answer, waits: boolean): Answer {
  const { rcptTo } = envelope as { readonly rcptTo: readonly { readonly email: string }[] }
  const status = waits
    ? { smtpReply: '250 2.1.5 Waits to be handed on', delivered: 'queued', displayed: 'unknown' }
    : { smtpReply: '250 2.1.5 Handed on', delivered: 'unknown', displayed: 'unknown' }
  return Object.fromEntries(rcptTo.map(({ email }) => [email, status]))
}

/** RFC 8621 §7.1. */
export const submissionGet: Method = {
  name: 'EmailSubmission/get',
  capability: SUBMISSION,
  args: ['ids', 'properties'],
  async run(call, args) {
    const { state, objects } = await loadSubmissions(call)
    const shown = (object: KeptObject): Answer => showSubmission(object as Submission)
    return getObjects(call, args, { known: SUBMISSION_PROPERTIES, state, objects, shown })
  },
}

/** RFC 8621 §7.2. */
export const submissionChanges: Method = {
  name: 'EmailSubmission/changes',
  capability: SUBMISSION,
  args: CHANGES_ARGS,
  run: (call, args) => objectChanges(call, args, 'EmailSubmission'),
}

/** RFC 8621 §7.3. */
export const submissionQuery: Method = {
  name: 'EmailSubmission/query',
  capability: SUBMISSION,
  args: QUERY_ARGS,
  async run(call, args) {
    const { state, objects } = await loadSubmissions(call)
    return {
      queryState: objectState(state),
      canCalculateChanges: true,
      ...readWindow(args, results(args, objects)),
    }
  },
}

/** RFC 8621 §7.4. */
export const submissionQueryChanges: Method = {
  name: 'EmailSubmission/queryChanges',
  capability: SUBMISSION,
  args: QUERY_CHANGES_ARGS,
  async run(call, args) {
    const since = sinceQueryState(args)
    const { state, objects } = await loadSubmissions(call)
    const found = await call.room.store.objectChanges({
      accountId: call.account.id,
      kind: 'EmailSubmission',
      since: readObjectState(since),
      limit: Number.MAX_SAFE_INTEGER,
    })
    if (found === undefined) throw cannotCalculate()
    return queryChanges(args, {
      oldState: since,
      newState: objectState(state),
      touched: new Map(found.changes.map(({ id, isNew }) => [id, { wasThere: !isNew }])),
      all: results(args, objects),
    })
  },
}

function results(args: Args, objects: readonly Submission[]): string[] {
  const test = readFilter(args.value('filter'), condition)
  const compare = readSort(args.list('sort') ?? [], COMPARES)
  return objects
    .filter(test)
    .toSorted(compare)
    .map(({ id }) => id)
}

const ID_LISTS: Readonly<Record<string, 'identityId' | 'emailId' | 'threadId'>> = {
  identityIds: 'identityId',
  emailIds: 'emailId',
  threadIds: 'threadId',
}

function condition(name: string, value: unknown): Test<Submission> | undefined {
  const property = Object.hasOwn(ID_LISTS, name) ? ID_LISTS[name] : undefined
  if (property !== undefined) {
    if (!Array.isArray(value) || !value.every(isId))
      throw invalidArguments(`${name} is a list of Ids`)
    return ({ value: object }) => (value as readonly string[]).includes(object[property])
  }
  if (name === 'undoStatus') {
    if (typeof value !== 'string') throw invalidArguments('undoStatus is a String')
    return (object) => undoStatus(object) === value
  }
  if (name !== 'before' && name !== 'after') return undefined
  const atMs = typeof value === 'string' && UTC_DATE.test(value) ? Date.parse(value) : Number.NaN
  if (Number.isNaN(atMs)) throw invalidArguments(`${name} is a UTCDate`)
  return ({ value: { sendAtMs } }) => (name === 'before' ? sendAtMs < atMs : sendAtMs >= atMs)
}

const UTC_DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const bySendAt: Compare<Submission> = (a, b) => a.value.sendAtMs - b.value.sendAtMs
const COMPARES: Readonly<Record<string, Compare<Submission>>> = {
  emailId: (a, b) => byText(a.value.emailId, b.value.emailId),
  threadId: (a, b) => byText(a.value.threadId, b.value.threadId),
  // RFC 8621 §7.3 names it so; the property is called sendAt.
  sentAt: bySendAt,
  sendAt: bySendAt,
}
