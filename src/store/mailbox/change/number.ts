import type { MailboxChange } from '#store/mailbox/commit.ts'
import { UID_MAX } from './copy.ts'
import { Refusal } from '#store/mailbox/rows/refusal.ts'
import { mailboxByMid } from '#store/mailbox/rows/row.ts'
import type { Mailbox } from '#store/mailbox/rows/row.ts'
import { nextModSeq } from '#store/mailbox/rows/work.ts'
import type { AccountWork } from '#store/mailbox/rows/work.ts'

/**
 * Gives an imported mailbox its own UIDVALIDITY and UIDNEXT. May be repeated with the same
 * UIDVALIDITY as the source goes on; another one is refused once the mailbox has given a UID.
 */
export function number(
  work: AccountWork,
  row: Mailbox,
  change: Extract<MailboxChange, { kind: 'number' }>,
): Mailbox {
  const { uidValidity, uidNext } = change
  if (!isNumber(uidValidity) || !isNumber(uidNext))
    throw new Refusal('conflict', 'UIDVALIDITY and UIDNEXT are numbers from 1 to 4294967295')
  if (uidValidity !== row.uidValidity && row.uidNext > 1)
    throw new Refusal('conflict', 'The mailbox has given UIDs under another UIDVALIDITY')
  if (uidNext < row.uidNext) throw new Refusal('conflict', 'UIDNEXT would go down')
  work.uidValidity = Math.max(work.uidValidity, uidValidity)
  work.sql.run(
    'UPDATE mailbox SET uidvalidity = ?, uidnext = ?, modseq = ? WHERE aid = ? AND mid = ?',
    uidValidity,
    uidNext,
    nextModSeq(work, row.mid),
    work.aid,
    row.mid,
  )
  return mailboxByMid(work, row.mid)!
}

const isNumber = (value: number): boolean =>
  Number.isSafeInteger(value) && value >= 1 && value <= UID_MAX
