import { SEEN } from '#model/mailbox.ts'
import type { Uid } from '#model/mailbox.ts'
import { buryPicked } from './expunge.ts'
import { keywordBits, mappedFlags } from './keywords.ts'
import { changeableIn } from './permission.ts'
import { count, pick, pickedUids, tallyPicked } from '#store/mailbox/rows/pick.ts'
import { Refusal } from '#store/mailbox/rows/refusal.ts'
import { mailboxByMid } from '#store/mailbox/rows/row.ts'
import type { Mailbox } from '#store/mailbox/rows/row.ts'
import { carrySeen } from '#store/mailbox/rows/seen.ts'
import { mailboxIdOf, modSeqOf, nextModSeq, uidValidityOf } from '#store/mailbox/rows/work.ts'
import type { AccountWork } from '#store/mailbox/rows/work.ts'
import type { ChangeResult, MailboxChange } from '#store/mailbox/commit.ts'

type Transfer = Extract<MailboxChange, { kind: 'copy' | 'move' }>
type Copied = Pick<Transfer, 'as'> & { readonly uids: readonly Uid[] | 'all' }

export const UID_MAX = 2 ** 32 - 1

/** Rows only: octets, meta and thread are shared by all copies. */
export function copyMessages(
  work: AccountWork,
  from: Mailbox,
  to: Mailbox,
  { uids, as }: Copied,
): ChangeResult {
  pick(work, from.mid, uids)
  return copyPicked(work, { kind: 'copy', from, to, as })
}

/** Copies, then expunges, as one change (RFC 6851 §3.3). */
export function moveMessages(
  work: AccountWork,
  from: Mailbox,
  to: Mailbox,
  { uids, as }: Copied,
): ChangeResult {
  pick(work, from.mid, uids)
  return copyPicked(work, { kind: 'move', from, to, as })
}

function copyPicked(
  work: AccountWork,
  change: Pick<Transfer, 'kind'> & {
    readonly from: Mailbox
    readonly to: Mailbox
    readonly as: Transfer['as']
  },
): ChangeResult {
  const { kind, from } = change
  const as = work.by === undefined ? change.as : undefined
  const { sql, aid } = work
  const sources = pickedUids(work)
  const mask = changeableIn(work, change.to.mid)
  // RFC 4314 §4, COPY: without their rights flags stay behind; what the owner has read stays the owner's.
  const flags =
    as !== undefined
      ? String((as.flags & 31) + keywordBits(work, change.to, { ...as, allocate: true }))
      : work.by === undefined
        ? mappedFlags(work, from, change.to)
        : `(${mask > 31 ? mappedFlags(work, from, change.to) : 'm.flags'}) & ${(mask | SEEN) >>> 0}`
  const to = mailboxByMid(work, change.to.mid) ?? change.to
  const targets = sources.map((_, index) => to.uidNext + index)
  const modSeq = sources.length === 0 ? to.modSeq : nextModSeq(work, to.mid)
  if (sources.length > 0) {
    if (to.uidNext + sources.length - 1 > UID_MAX)
      throw new Refusal('limit', 'The mailbox has no more UIDs')
    const tally = tallyPicked(work, from.mid)
    // A copy has a UIDL of its own: POP3 must never list one twice (RFC 1939 §7).
    sql.run(
      `INSERT INTO message (aid, mid, uid, flags, modseq, size, internal_at, saved_at, eid, uidl)
       SELECT m.aid, ?, ? + row_number() OVER (ORDER BY p.uid), ${flags}, ?, m.size,
         ${as === undefined ? 'm.internal_at' : as.internalDateMs}, ?, m.eid, ${kind === 'move' ? 'm.uidl' : 'NULL'}
       FROM picked p CROSS JOIN message m ON m.aid = ? AND m.mid = ? AND m.uid = p.uid`,
      to.mid,
      to.uidNext - 1,
      modSeq,
      work.nowMs,
      aid,
      from.mid,
    )
    sql.run(
      'UPDATE mailbox SET uidnext = ? WHERE aid = ? AND mid = ?',
      to.uidNext + sources.length,
      aid,
      to.mid,
    )
    count(work, {
      mid: to.mid,
      modSeq,
      sign: 1,
      ...tally,
      ...((work.by ?? as) && tallyFrom(work, to)),
    })
    carrySeen(
      { sql, aid, mid: from.mid },
      { sql, aid, mid: to.mid },
      {
        sources,
        targets: Uint32Array.from(targets),
        carries: (who) => who !== work.by || (mask & SEEN) !== 0,
      },
    )
    if (kind === 'move') {
      work.touched.set(from.mid, modSeq)
      buryPicked(work, from.mid, modSeq)
    }
  }
  return {
    kind,
    mailboxId: mailboxIdOf(work.tag, to.mid),
    uidValidity: uidValidityOf(to.uidValidity),
    sources,
    targets,
    modSeq: modSeqOf(modSeq),
  }
}

/** Of the copies themselves, where flags were left behind. */
const tallyFrom = (
  { sql, aid }: AccountWork,
  { mid, uidNext }: Mailbox,
): { readonly unseen: number; readonly deleted: number } => {
  const [unseen, deleted] = sql.get<[number, number]>(
    `SELECT total(flags & 1 = 0), total(flags & 8 <> 0) FROM message
     WHERE aid = ? AND mid = ? AND uid >= ?`,
    aid,
    mid,
    uidNext,
  ) ?? [0, 0]
  return { unseen, deleted }
}
