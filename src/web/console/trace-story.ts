import type { TraceBody } from '#contract/admin/mail.ts'

type Event = TraceBody['events'][number]

/** Where a recipient's copy is now, from the last that was heard of it. */
export type Fate = 'filed' | 'sent' | 'waiting' | 'held' | 'failed' | 'dropped' | 'onItsWay'

export interface Outcome {
  readonly recipient: string
  readonly fate: Fate
  readonly at: string
  /** Mailboxes, or the peer that took it. */
  readonly place?: string
  readonly status?: string
  readonly nextHop?: string
}

export interface Evidence {
  readonly rule: string
  readonly score?: number
}

/** What the events of one message say, told in the order of its way. */
export interface Story {
  readonly deliveryId: string
  readonly from: string
  readonly messageId?: string
  readonly received?: Event
  readonly refused?: Event
  readonly outcomes: readonly Outcome[]
  readonly evidence: readonly Evidence[]
  readonly startedAt: string
  readonly endedAt: string
}

const FATES: Readonly<Record<string, Fate>> = {
  'queue.accepted': 'waiting',
  'queue.delivered': 'sent',
  'queue.deferred': 'waiting',
  'queue.held': 'held',
  'queue.failed': 'failed',
  'queue.dropped': 'dropped',
  'store.filed': 'filed',
  'store.rejected': 'failed',
}

export function storyOf({ deliveryId, events }: TraceBody): Story {
  const received = events.find(({ name }) => name === 'receive.accepted')
  const refused = events.find(({ name }) => name === 'receive.refused')
  const first = received ?? refused ?? events[0]
  const outcomes = new Map<string, Outcome>()
  const began = textOf(first, 'recipients')
  for (const recipient of listOf(began))
    outcomes.set(recipient, {
      recipient,
      fate: first?.fields['held'] === true ? 'held' : 'onItsWay',
      at: first?.at ?? '',
    })
  for (const event of events) {
    const fate = FATES[event.name]
    const recipient = textOf(event, 'recipient')
    if (fate === undefined || recipient === undefined) continue
    const before = outcomes.get(recipient)
    const place = textOf(event, 'mailboxes') ?? textOf(event, 'peer')
    const status = textOf(event, 'status')
    const nextHop = textOf(event, 'nextHop')
    // The store files it before the queue hears of that: the mailbox is the better answer.
    if (before?.fate === 'filed' && fate === 'sent') {
      outcomes.set(recipient, { ...before, ...(nextHop !== undefined && { nextHop }) })
      continue
    }
    outcomes.set(recipient, {
      recipient,
      fate,
      at: event.at,
      ...(place !== undefined && { place }),
      ...(status !== undefined && { status }),
      ...(nextHop !== undefined && { nextHop }),
    })
  }
  const messageId = textOf(first, 'messageId')
  return {
    deliveryId,
    from: textOf(first, 'from') ?? textOf(events[0], 'sender') ?? '',
    ...(messageId !== undefined && { messageId }),
    ...(received !== undefined && { received }),
    ...(refused !== undefined && received === undefined && { refused }),
    outcomes: [...outcomes.values()],
    evidence: evidenceOf(first),
    startedAt: events[0]?.at ?? '',
    endedAt: events.at(-1)?.at ?? '',
  }
}

function evidenceOf(event: Event | undefined): readonly Evidence[] {
  const scores = listOf(textOf(event, 'scores'))
  return listOf(textOf(event, 'rules')).map((rule, index) => ({
    rule,
    ...(scores[index] !== undefined && { score: Number(scores[index]) }),
  }))
}

const listOf = (text: string | undefined): readonly string[] =>
  text === undefined ? [] : text.split(',').map((each) => each.trim())

/** A field that says something. */
export function textOf(event: Event | undefined, field: string): string | undefined {
  const value = event?.fields[field]
  return value === undefined || value === null || value === '' ? undefined : String(value)
}

/** A sentence by its key, with what it names. */
export interface Sentence {
  readonly key: string
  readonly values: Readonly<Record<string, string | number>>
}

/** The answer that people came for, in one sentence; times stay as they are, to be written by the page. */
export function answerOf(story: Story): Sentence {
  const { refused, outcomes } = story
  if (refused !== undefined)
    return {
      key: 'answer.refused',
      values: { at: refused.at, status: textOf(refused, 'status') ?? '' },
    }
  const [only] = outcomes
  if (only === undefined) return { key: 'answer.unknown', values: {} }
  if (outcomes.length === 1)
    return {
      key: `answer.${only.fate}`,
      values: {
        recipient: only.recipient,
        at: only.at,
        after: Date.parse(only.at) - Date.parse(story.startedAt),
        place: only.place ?? '',
        status: only.status ?? '',
      },
    }
  const count = (...fates: readonly Fate[]): number =>
    outcomes.filter(({ fate }) => fates.includes(fate)).length
  const done = count('filed', 'sent')
  const failed = count('failed', 'dropped')
  const key =
    done === outcomes.length ? 'answer.allDone' : failed === 0 ? 'answer.someDone' : 'answer.mixed'
  return {
    key,
    values: {
      at: story.endedAt,
      count: outcomes.length,
      done,
      failed,
      waiting: outcomes.length - done - failed,
    },
  }
}
