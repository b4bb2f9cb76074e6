import { domainToASCII } from 'node:url'

import { asciiLower } from '#base/text.ts'
import { domainKey, formatAddress } from '#model/address.ts'
import type { Database, SqlInput } from '#store/db/database.ts'
import { parseQueueId } from './queue-id.ts'
import { stateCode } from './rows.ts'
import type { QueueFilter, QueueMessage } from './spool-store.ts'

/** Messages that one step looks at: a few milliseconds, in which nothing is accepted. */
const STEP_MESSAGES = 500

export interface Step {
  /** Messages that may be meant, in the filter's order; the caller looks again with `isMeant`. */
  readonly numbers: readonly number[]
  readonly looked: number
  /** Where the next step begins; absent where this one came to the end. */
  readonly next?: number
}

interface StepRow {
  readonly number: number
  readonly hit: number
}

/** The next messages that the filter's cursor leads to, and which of them may be meant; all is decided in SQL. */
export function step(db: Database, filter: QueueFilter): Step {
  const { state } = filter
  const { above, below } = rangeOf(filter)
  const order = filter.order === 'newest' ? 'DESC' : 'ASC'
  const conditions = conditionsOf(filter)
  const hit = conditions.length === 0 ? '1' : conditions.map(({ sql }) => sql).join(' AND ')
  const params = conditions.flatMap(({ params: each }) => each)
  const rows = db
    .query<StepRow>(
      state === 'held' || state === 'delivered' || state === 'failed' || state === 'dropped'
        ? `SELECT number, ${hit} AS hit FROM (
             SELECT DISTINCT message FROM recipient ${indexOf(stateCode(state))}
             WHERE state = ${stateCode(state)} ${andEnded(stateCode(state))}
               AND message > ? AND message < ?
             ORDER BY message ${order} LIMIT ?)
           CROSS JOIN message ON number = message ORDER BY number ${order}`
        : `SELECT number, ${hit} ${state === 'ready' ? AND_READY : ''} AS hit FROM message
           WHERE number > ? AND number < ? ORDER BY number ${order} LIMIT ?`,
    )
    .all(...params, above, below, STEP_MESSAGES)
  return {
    numbers: rows.filter((row) => row.hit !== 0).map((row) => row.number),
    looked: rows.length,
    ...(rows.length === STEP_MESSAGES && { next: rows.at(-1)!.number }),
  }
}

/** The numbers that are still to be looked at lie between these. */
export function rangeOf(filter: QueueFilter): { readonly above: number; readonly below: number } {
  const number = (id: string | undefined, absent: number): number =>
    (id === undefined ? undefined : parseQueueId(id)) ?? absent
  const from = number(filter.from, 1) - 1
  const before = number(filter.before, Number.MAX_SAFE_INTEGER)
  return filter.order === 'newest'
    ? { above: from, below: Math.min(before, number(filter.after, before)) }
    : { above: Math.max(from, number(filter.after, 0)), below: before }
}

const AND_READY = 'AND EXISTS (SELECT 1 FROM recipient WHERE message = number AND state = 0)'

const indexOf = (state: number): string =>
  `INDEXED BY ${state === 1 ? 'recipient_held' : 'recipient_ended'}`

/** A partial index is taken only where its own condition stands there too. */
const andEnded = (state: number): string => (state > 1 ? 'AND state > 1' : '')

interface Condition {
  readonly sql: string
  readonly params: readonly SqlInput[]
}

/** What SQL can tell: nothing that is meant is left out, some that is not may come through. */
function conditionsOf({ address, text, domain }: QueueFilter): readonly Condition[] {
  const conditions: Condition[] = []
  if (address !== undefined) {
    const wanted = asciiLower(address)
    conditions.push({
      sql: `(instr(lower(meta), ?) OR EXISTS (
        SELECT 1 FROM recipient WHERE message = number AND instr(lower(address), ?)))`,
      params: [wantedInJson(wanted), wanted],
    })
  }
  if (text !== undefined) {
    const wanted = asciiLower(text)
    conditions.push({
      sql: `(number = ? OR instr(lower(meta), ?) OR EXISTS (
        SELECT 1 FROM recipient WHERE message = number AND (instr(lower(address), ?)
          OR instr(lower(coalesce(last_status, '')), ?) OR instr(lower(coalesce(hold, '')), ?))))`,
      params: [parseQueueId(text.toUpperCase()) ?? 0, wantedInJson(wanted), wanted, wanted, wanted],
    })
  }
  if (domain !== undefined) {
    const key = domainKey(domain)
    const forms = new Set([key, domainToASCII(key) || key])
    conditions.push({
      sql: `EXISTS (SELECT 1 FROM recipient WHERE message = number AND (${[...forms]
        .map(() => 'instr(lower(address), ?)')
        .join(' OR ')}))`,
      params: [...forms].map((form) => `@${form}`),
    })
  }
  return conditions
}

/** True where the message, as it is now, is one of those that the filter names. */
export function isMeant(message: QueueMessage, filter: QueueFilter): boolean {
  const { state, address, text, domain } = filter
  const { recipients } = message
  if (state !== undefined && !recipients.some((one) => one.state === state)) return false
  if (domain !== undefined) {
    const key = domainKey(domain)
    if (!recipients.some((one) => domainKey(one.address.domain) === key)) return false
  }
  if (address !== undefined && !anyHolds(addressesOf(message), address)) return false
  return text === undefined || mentions(message, text)
}

/** A sender's local part and domain stand apart in the meta: the longer half is looked for. */
function wantedInJson(wanted: string): string {
  const halves = wanted.split('@').map((half) => JSON.stringify(half).slice(1, -1))
  return halves.toSorted((a, b) => b.length - a.length)[0]!
}

function mentions(message: QueueMessage, text: string): boolean {
  const { queueId, deliveryId, recipients } = message
  return (
    queueId === text.toUpperCase() ||
    deliveryId === text ||
    anyHolds(addressesOf(message), text) ||
    anyHolds(
      recipients.flatMap(({ lastStatus, hold }) => [lastStatus ?? '', hold ?? '']),
      text,
    )
  )
}

function addressesOf(message: QueueMessage): readonly string[] {
  const from = message.reversePath === null ? [] : [message.reversePath]
  return [...from, ...message.recipients.map((recipient) => recipient.address)].map(formatAddress)
}

function anyHolds(texts: readonly string[], wanted: string): boolean {
  const lower = asciiLower(wanted)
  return texts.some((text) => asciiLower(text).includes(lower))
}
