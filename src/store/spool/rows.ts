import { formatAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { NotifyEvent } from '#model/envelope.ts'
import type { BlobRef } from '#store/blob/blobs.ts'
import type { Database } from '#store/db/database.ts'
import { formatQueueId } from './queue-id.ts'
import type {
  Accept,
  QueueMessage,
  QueueRecipient,
  QueueRecipientInput,
  RecipientState,
} from './spool-store.ts'

export const SPOOL_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE message (
    number INTEGER PRIMARY KEY,
    meta TEXT NOT NULL,           -- JSON: an Accept without content and recipients
    blob_kind INTEGER NOT NULL,   -- 0 segment, 1 large
    blob_file INTEGER NOT NULL,
    blob_offset INTEGER NOT NULL,
    blob_length INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE recipient (
    message INTEGER NOT NULL REFERENCES message (number),
    place INTEGER NOT NULL,
    state INTEGER NOT NULL,       -- STATES below
    due_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    delay_notified INTEGER NOT NULL,
    address TEXT NOT NULL,
    original TEXT,
    notify TEXT,                  -- words with blanks between; empty is NEVER
    hold TEXT,
    last_status TEXT,
    PRIMARY KEY (message, place)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX recipient_due ON recipient (due_ms, message, place) WHERE state = 0;
  CREATE INDEX recipient_held ON recipient (message) WHERE state = 1;
  CREATE INDEX recipient_ended ON recipient (state) WHERE state > 1;
  `,
  `
  CREATE TABLE taken (
    id TEXT PRIMARY KEY,          -- delivery id of an entry of a store's outbox
    message INTEGER NOT NULL,     -- the number it was queued under
    at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX taken_at ON taken (at_ms);
  `,
  // What lies in each segment, without reading the rows; octets are appended, and so are its entries.
  'CREATE INDEX message_place ON message (blob_kind, blob_file, blob_offset, blob_length)',
  // Each class in an order of its own: who looks for personal mail steps over no bulk.
  `
  ALTER TABLE recipient ADD COLUMN bulk INTEGER NOT NULL DEFAULT 0;
  DROP INDEX recipient_due;
  CREATE INDEX recipient_due ON recipient (due_ms, message, place) WHERE state = 0 AND bulk = 0;
  CREATE INDEX recipient_bulk ON recipient (due_ms, message, place) WHERE state = 0 AND bulk = 1;
  `,
]

/** As stored; a claim is known to the process alone. */
export const STATES = ['ready', 'held', 'delivered', 'failed', 'dropped'] as const
export type StoredState = Exclude<RecipientState, 'claimed'>
export const stateCode = (state: StoredState): number => STATES.indexOf(state)
const stateOf = (code: number): StoredState => STATES[code]!

export interface MessageRow {
  readonly number: number
  readonly meta: string
  readonly blob_kind: number
  readonly blob_file: number
  readonly blob_offset: number
  readonly blob_length: number
}

export interface RecipientRow {
  readonly message: number
  readonly place: number
  readonly state: number
  readonly due_ms: number
  readonly attempts: number
  readonly delay_notified: number
  readonly address: string
  readonly original: string | null
  readonly notify: string | null
  readonly hold: string | null
  readonly last_status: string | null
  readonly bulk: number
}

export const blobOf = (row: MessageRow): BlobRef => ({
  kind: row.blob_kind === 0 ? 'segment' : 'large',
  file: row.blob_file,
  offset: row.blob_offset,
  length: row.blob_length,
})

type Meta = Omit<Accept, 'content' | 'recipients'>

/** Writes a message with its recipients; must run inside a transaction. */
export function insertMessage(db: Database, number: number, accept: Accept, ref: BlobRef): void {
  const { content: _content, recipients, ...meta } = accept
  db.query('INSERT INTO message VALUES (?, ?, ?, ?, ?, ?)').run(
    number,
    JSON.stringify(meta satisfies Meta),
    ref.kind === 'segment' ? 0 : 1,
    ref.file,
    ref.offset,
    ref.length,
  )
  const insert = db.query('INSERT INTO recipient VALUES (?, ?, ?, ?, 0, 0, ?, ?, ?, ?, NULL, ?)')
  for (const [place, recipient] of recipients.entries())
    insert.run(
      number,
      place,
      stateCode(firstState(recipient)),
      accept.receivedAtMs,
      formatAddress(recipient.address),
      recipient.original ?? null,
      recipient.notify?.join(' ') ?? null,
      recipient.hold ?? null,
      accept.isBulk === true ? 1 : 0,
    )
}

/** The state in which a recipient enters. */
export const firstState = (recipient: QueueRecipientInput): 'ready' | 'held' =>
  recipient.hold === undefined ? 'ready' : 'held'

export function messageOf(
  row: MessageRow,
  recipients: readonly RecipientRow[],
  isClaimed: (place: number) => boolean,
): QueueMessage {
  return {
    ...(JSON.parse(row.meta) as Meta),
    queueId: formatQueueId(row.number),
    sizeBytes: row.blob_length,
    recipients: recipients.map((recipient) => recipientOf(recipient, isClaimed(recipient.place))),
  }
}

/** One recipient as others know it. */
export function recipientOf(row: RecipientRow, claimed: boolean): QueueRecipient {
  return {
    index: row.place,
    address: parseStored(row.address),
    state: claimed ? 'claimed' : stateOf(row.state),
    attempts: row.attempts,
    nextAttemptMs: row.due_ms,
    delayNotified: row.delay_notified !== 0,
    ...(row.original !== null && { original: row.original }),
    ...(row.notify !== null && {
      notify: row.notify.split(' ').filter((word) => word !== '') as NotifyEvent[],
    }),
    ...(row.hold !== null && { hold: row.hold }),
    ...(row.last_status !== null && { lastStatus: row.last_status }),
  }
}

/** What formatAddress wrote, taken as it is: a local part may hold an @, a domain never does. */
function parseStored(text: string): Address {
  const at = text.lastIndexOf('@')
  return { localpart: text.slice(0, at), domain: text.slice(at + 1) }
}
