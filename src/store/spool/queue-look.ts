import { asciiLower } from '#base/text.ts'
import { formatAddress } from '#model/address.ts'
import type { Database, SqlInput } from '#store/db/database.ts'
import { stateCode } from './rows.ts'
import type { QueueFilter, QueueMessage } from './spool-store.ts'

/** Messages that one step looks at: a few milliseconds, in which nothing is accepted. */
const STEP_MESSAGES = 500

export interface Step {
  /** Messages that may be meant, ascending; the caller looks again with `isMeant`. */
  readonly numbers: readonly number[]
  readonly looked: number
  /** Where the next step begins; absent where this one came to the end. */
  readonly next?: number
}

interface StepRow {
  readonly number: number
  readonly hit: number
}

/** The next messages after this number, and which of them may be meant; all is decided in SQL. */
export function step(db: Database, filter: QueueFilter, after: number): Step {
  const { state } = filter
  const wanted = wantedOf(filter)
  const [hit, params]: [string, SqlInput[]] =
    wanted === undefined
      ? ['1', []]
      : [
          `(instr(lower(meta), ?) OR EXISTS (
             SELECT 1 FROM recipient WHERE message = number AND instr(lower(address), ?)))`,
          [wantedInJson(wanted), wanted],
        ]
  const rows = db
    .query<StepRow>(
      state === 'held' || state === 'delivered' || state === 'failed' || state === 'dropped'
        ? `SELECT number, ${hit} AS hit FROM (
             SELECT DISTINCT message FROM recipient ${indexOf(stateCode(state))}
             WHERE state = ${stateCode(state)} ${andEnded(stateCode(state))} AND message > ?
             ORDER BY message LIMIT ?)
           CROSS JOIN message ON number = message ORDER BY number`
        : `SELECT number, ${hit} ${state === 'ready' ? AND_READY : ''} AS hit FROM message
           WHERE number > ? ORDER BY number LIMIT ?`,
    )
    .all(...params, after, STEP_MESSAGES)
  return {
    numbers: rows.filter((row) => row.hit !== 0).map((row) => row.number),
    looked: rows.length,
    ...(rows.length === STEP_MESSAGES && { next: rows.at(-1)!.number }),
  }
}

const AND_READY = 'AND EXISTS (SELECT 1 FROM recipient WHERE message = number AND state = 0)'

const indexOf = (state: number): string =>
  `INDEXED BY ${state === 1 ? 'recipient_held' : 'recipient_ended'}`

/** A partial index is taken only where its own condition stands there too. */
const andEnded = (state: number): string => (state > 1 ? 'AND state > 1' : '')

/** True where the message, as it is now, is one of those that the filter names. */
export function isMeant(message: QueueMessage, filter: QueueFilter): boolean {
  const { state } = filter
  if (state !== undefined && !message.recipients.some((one) => one.state === state)) return false
  const wanted = wantedOf(filter)
  return wanted === undefined || mentions(message, wanted)
}

const wantedOf = ({ address }: QueueFilter): string | undefined =>
  address === undefined ? undefined : asciiLower(address)

/** A sender's local part and domain stand apart in the meta: the longer half is looked for. */
function wantedInJson(wanted: string): string {
  const halves = wanted.split('@').map((half) => JSON.stringify(half).slice(1, -1))
  return halves.toSorted((a, b) => b.length - a.length)[0]!
}

/** True where the text stands in the sender's or a recipient's address. */
function mentions(message: QueueMessage, wanted: string): boolean {
  const from = message.reversePath === null ? [] : [message.reversePath]
  return [...from, ...message.recipients.map((recipient) => recipient.address)].some((address) =>
    asciiLower(formatAddress(address)).includes(wanted),
  )
}
