import { deserialize, serialize } from 'node:v8'
import { deflateSync, inflateSync } from 'node:zlib'
import type { AccountCommitResult, Operation } from '#store/mailbox/commit.ts'
import type { StoreChanged } from '#store/mailbox/mailbox-view.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'

/** What a commit has answered, or was about to. */
export interface Outcome {
  readonly results: readonly AccountCommitResult[]
  readonly changes: readonly StoreChanged[]
}

/** A copy of very many tells each UID of both sides. */
const DEFLATED_FROM_BYTES = 4_096
/** The first octet of what zlib makes; that of what V8 makes is 0xff. */
const DEFLATED = 0x78

/**
 * Keeps a commit's answer in its own transaction: an asker whose answer died with this process asks for
 * it. The next commit of the same slot takes its row: by then the answer was heard.
 */
export function noteOperation(sql: Sql, { slot, id }: Operation, outcome: Outcome): void {
  // What came to nothing is told like what never came.
  if (outcome.results.every(({ kind }) => kind !== 'committed')) return
  const plain = serialize(outcome)
  sql.run(
    `INSERT INTO operation (slot, id, outcome) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET id = excluded.id, outcome = excluded.outcome`,
    slot,
    id,
    plain.length < DEFLATED_FROM_BYTES ? plain : deflateSync(plain, { level: 1 }),
  )
}

/** Undefined where it was not committed. */
export function outcomeOf(sql: Sql, { slot, id }: Operation): Outcome | undefined {
  const found = sql.get<[Uint8Array]>(
    'SELECT outcome FROM operation WHERE slot = ? AND id = ?',
    slot,
    id,
  )
  if (found === undefined) return undefined
  const [octets] = found
  return deserialize(octets[0] === DEFLATED ? inflateSync(octets) : octets) as Outcome
}
