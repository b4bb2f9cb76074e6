import { equalOctets } from '#base/octets.ts'
import { DELETED, SEEN } from '#model/mailbox.ts'
import type { Uid } from '#model/mailbox.ts'
import { UID_MAX } from './copy.ts'
import { keywordBits } from './keywords.ts'
import type { ChangeResult, MailboxChange } from '#store/mailbox/commit.ts'
import { count } from '#store/mailbox/rows/pick.ts'
import { blobColumns } from '#store/mailbox/rows/content.ts'
import type { PlacedContent } from '#store/mailbox/rows/content.ts'
import { Refusal } from '#store/mailbox/rows/refusal.ts'
import type { Mailbox } from '#store/mailbox/rows/row.ts'
import { setSeen } from '#store/mailbox/rows/seen.ts'
import { threadOf } from '#store/mailbox/rows/thread.ts'
import { changeableIn } from './permission.ts'
import { resolveMailbox } from './tree.ts'
import {
  EPOCH_UNIT,
  emailIdOf,
  mailboxIdOf,
  nextModSeq,
  ownUidl,
  threadIdOf,
  uidValidityOf,
} from '#store/mailbox/rows/work.ts'
import type { AccountWork } from '#store/mailbox/rows/work.ts'

/** RFC 1939 §7. */
const UIDL = /^[\x21-\x7e]{1,70}$/

type AppendChange = Extract<MailboxChange, { kind: 'append' }>

/** One row in a mailbox; the content has its place already. */
export function append(
  work: AccountWork,
  change: AppendChange,
  content: PlacedContent,
): ChangeResult {
  const row = resolveMailbox(work, change.mailbox)
  // RFC 4314 §4: flags that its author may not set are left out.
  const mask = changeableIn(work, row.mid)
  const mayKeyword = mask > 31
  const bits = keywordBits(work, row, {
    keywords: mayKeyword ? change.keywords : [],
    allocate: true,
  })
  const given = change.flags & 31 & mask
  // What another than the owner has read is told of them alone.
  const flags = (work.by === undefined ? given : given & ~SEEN) + bits
  const { eid, tid } = emailOf(work, change, content)
  const { assigned } = change
  const uid = assigned === undefined ? row.uidNext : assignedUid(work, row, assigned.uid)
  if (uid > UID_MAX) throw new Refusal('limit', 'The mailbox has no more UIDs')
  const modSeq =
    assigned?.modSeq === undefined
      ? nextModSeq(work, row.mid)
      : assignedModSeq(work, row, assigned.modSeq)
  const size = content.ref.length + (change.prefix?.byteLength ?? 0)
  work.sql.run(
    `INSERT INTO message (aid, mid, uid, flags, modseq, size, internal_at, saved_at, eid, uidl)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    work.aid,
    row.mid,
    uid,
    flags,
    modSeq,
    size,
    Math.floor(change.internalDateMs),
    // Retention counts from here: what is brought along enters the mailbox now, never earlier.
    work.nowMs,
    eid,
    assigned?.uidl === undefined ? null : assignedUidl(work, assigned.uidl, { mid: row.mid, uid }),
  )
  if (work.by !== undefined && (given & SEEN) !== 0)
    setSeen({ ...work, mid: row.mid, who: work.by }, Uint32Array.of(uid), true)
  count(work, {
    mid: row.mid,
    uidNext: uid + 1,
    modSeq: work.touched.get(row.mid) ?? modSeq,
    sign: 1,
    messages: 1,
    unseen: (flags & SEEN) === 0 ? 1 : 0,
    deleted: (flags & DELETED) === 0 ? 0 : 1,
    bytes: size,
  })
  return {
    kind: 'append',
    mailboxId: mailboxIdOf(work.tag, row.mid),
    uidValidity: uidValidityOf(row.uidValidity),
    uid: uid as Uid,
    emailId: emailIdOf(work.tag, eid),
    threadId: threadIdOf(work.tag, tid),
  }
}

/** One content filed into two mailboxes by one commit is one email (RFC 8474 §5.1). */
function emailOf(
  work: AccountWork,
  change: AppendChange,
  content: PlacedContent,
): { readonly eid: number; readonly tid: number } {
  const { prefix } = change
  const known = work.emails.get(change.content)
  if (
    known !== undefined &&
    (known.prefix === prefix ||
      (known.prefix !== undefined && prefix !== undefined && equalOctets(known.prefix, prefix)))
  )
    return known
  const eid = work.nextEid++
  const tid = threadOf(work, content.threadKeys, eid)
  work.sql.run(
    'INSERT INTO email VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    work.aid,
    eid,
    tid,
    ...blobColumns(content.ref),
    ...blobColumns(content.metaRef),
    prefix ?? null,
  )
  const made = { eid, tid, prefix }
  work.emails.set(change.content, made)
  return made
}

/** UIDs only ever rise within a mailbox (RFC 9051 §2.3.1.1), brought along or not. */
function assignedUid(work: AccountWork, row: Mailbox, uid: number): number {
  if (!Number.isSafeInteger(uid) || uid < 1 || uid > UID_MAX)
    throw new Refusal('conflict', 'A UID is a number from 1 to 4294967295')
  const last = lastUid(work, row.mid) ?? 0
  if (uid <= last)
    throw new Refusal('conflict', `UID ${uid} is not above ${last}, the last one of the mailbox`)
  return uid
}

/** The highest UID that the mailbox has ever given; undefined where there is no such mailbox. */
function lastUid(work: AccountWork, mid: number): number | undefined {
  return work.sql.get<[number]>(
    `SELECT max(
       purged_uid,
       coalesce((SELECT max(uid) FROM message WHERE aid = ?1 AND mid = ?2), 0),
       coalesce((SELECT max(uid) FROM gone WHERE aid = ?1 AND mid = ?2), 0))
     FROM mailbox WHERE aid = ?1 AND mid = ?2`,
    work.aid,
    mid,
  )?.[0]
}

/**
 * No UIDL stands in an account twice (RFC 1939 §7): neither one that was brought along nor one of
 * ours, and none that we could still give to another message. One of ours that comes back to its
 * account after its message has gone names that message again.
 */
function assignedUidl(
  work: AccountWork,
  uidl: string,
  at: { readonly mid: number; readonly uid: number },
): string {
  if (!UIDL.test(uidl))
    throw new Refusal('conflict', 'A UIDL is 1 to 70 characters from ! to ~ of ASCII')
  const { sql, aid } = work
  if (sql.get('SELECT 1 FROM message WHERE aid = ? AND uidl = ?', aid, uidl) !== undefined)
    throw new Refusal('conflict', `The account has a message with the UIDL ${uidl} already`)
  const own = ownUidl(work.tag, uidl)
  if (own === undefined || (own.mid === at.mid && own.uid === at.uid)) return uidl
  const isTaken =
    own.mid >= work.nextMid ||
    own.uid > (lastUid(work, own.mid) ?? UID_MAX) ||
    sql.get(
      'SELECT 1 FROM message WHERE aid = ? AND mid = ? AND uid = ? AND uidl IS NULL',
      aid,
      own.mid,
      own.uid,
    ) !== undefined
  if (isTaken) throw new Refusal('conflict', `The UIDL ${uidl} belongs to another message`)
  return uidl
}

/**
 * A MODSEQ that is brought along may be older than what readers of ours have seen. It is kept for
 * clients that come with a MODSEQ of the old server; our own readers are shown the mailbox whole.
 */
function assignedModSeq(work: AccountWork, row: Mailbox, given: bigint): number {
  if (given < 1n || given >= BigInt(work.modSeq) + BigInt(EPOCH_UNIT / 2))
    throw new Refusal('conflict', `MODSEQ ${given} is out of reach`)
  const modSeq = Number(given)
  if (modSeq > row.modSeq) {
    work.modSeq = Math.max(work.modSeq, modSeq)
    work.touched.set(row.mid, modSeq)
    return modSeq
  }
  const shown = nextModSeq(work, row.mid)
  work.sql.run(
    'UPDATE mailbox SET import_modseq = ? WHERE aid = ? AND mid = ?',
    shown,
    work.aid,
    row.mid,
  )
  return modSeq
}
