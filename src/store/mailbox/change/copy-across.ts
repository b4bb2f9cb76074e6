import type { AccountId } from '#model/account.ts'
import { SEEN, SYSTEM_FLAGS } from '#model/mailbox.ts'
import type { EmailId, ThreadId } from '#model/mailbox.ts'
import type { ChangeResult, MailboxChange } from '#store/mailbox/commit.ts'
import { count, pick, pickedUids } from '#store/mailbox/rows/pick.ts'
import { Refusal } from '#store/mailbox/rows/refusal.ts'
import { mailboxByMid } from '#store/mailbox/rows/row.ts'
import type { Mailbox } from '#store/mailbox/rows/row.ts'
import { seenOf, setSeen } from '#store/mailbox/rows/seen.ts'
import { threadOf } from '#store/mailbox/rows/thread.ts'
import {
  emailIdOf,
  findAccount,
  mailboxIdOf,
  modSeqOf,
  nextModSeq,
  threadIdOf,
  uidValidityOf,
} from '#store/mailbox/rows/work.ts'
import type { AccountWork } from '#store/mailbox/rows/work.ts'
import { UID_MAX } from './copy.ts'
import { buryPicked } from './expunge.ts'
import { keywordBits } from './keywords.ts'
import { changeableIn, permitTaking } from './permission.ts'
import { mailboxOf, resolveMailbox } from './tree.ts'

type Transfer = Extract<MailboxChange, { kind: 'copy' | 'move' }>

/** What ties each message to its thread, by its UID. */
export type ThreadKeysByUid = ReadonlyMap<number, string>

/**
 * Copies or moves from another account: octets and meta are shared, all else is the new owner's. What
 * who does it has read goes along, wherever it is kept on either side.
 */
export function copyAcross(
  work: AccountWork,
  change: Transfer & { readonly fromAccount: AccountId },
  threadKeys: ThreadKeysByUid,
): ChangeResult {
  const source = sourceOf(work, change.fromAccount)
  const actor = work.by ?? work.accountId
  if (actor !== change.fromAccount) source.by = actor
  permitTaking(source, change)
  const from = mailboxOf(source, change.from)
  const given = resolveMailbox(work, change.to)
  pick(source, from.mid, change.uids)
  const sources = pickedUids(source)
  const to = mailboxByMid(work, given.mid)!
  if (sources.length > 0 && to.uidNext + sources.length - 1 > UID_MAX)
    throw new Refusal('limit', 'The mailbox has no more UIDs')
  const targets = sources.map((_, index) => to.uidNext + index)
  const modSeq = sources.length === 0 ? to.modSeq : nextModSeq(work, to.mid)
  const across = { work, source, from, to, actor, threadKeys, as: change.as }
  const emails = sources.length === 0 ? [] : insertAll(across, modSeq)
  if (sources.length > 0) {
    if (change.kind === 'move') buryPicked(source, from.mid, nextModSeq(source, from.mid))
  }
  return {
    kind: change.kind,
    mailboxId: mailboxIdOf(work.tag, to.mid),
    uidValidity: uidValidityOf(to.uidValidity),
    sources,
    targets,
    modSeq: modSeqOf(modSeq),
    emails,
  }
}

/** The other account's work of this commit; saved and told with it. */
function sourceOf(work: AccountWork, accountId: AccountId): AccountWork {
  const source = findAccount(work.sql, accountId, work.nowMs)
  if (source === undefined) throw new Refusal('noMailbox', 'No such mailbox')
  const known = work.others.find(({ aid }) => aid === source.aid)
  if (known !== undefined) return known
  work.others.push(source)
  return source
}

interface Across {
  readonly work: AccountWork
  readonly source: AccountWork
  readonly from: Mailbox
  readonly to: Mailbox
  readonly actor: AccountId
  readonly threadKeys: ThreadKeysByUid
  readonly as: Transfer['as']
}

type SourceRow = [uid: number, flags: number, size: number, internalAt: number, eid: number]

/** All that is picked in the source, in UID order. */
function insertAll(across: Across, modSeq: number): CopiedEmail[] {
  const { work, source, from, to, actor, as } = across
  const { sql, aid } = work
  const rows = sql.all<SourceRow>(
    `SELECT m.uid, m.flags, m.size, m.internal_at, m.eid
     FROM picked p CROSS JOIN message m ON m.aid = ? AND m.mid = ? AND m.uid = p.uid ORDER BY p.uid`,
    source.aid,
    from.mid,
  )
  const read = seenIn(across, rows)
  const mask = changeableIn(work, to.mid)
  const flagsIn = flagMapper(across, mask)
  const copied: CopiedEmail[] = []
  const tally = { messages: rows.length, unseen: 0, deleted: 0, bytes: 0 }
  const readHere: number[] = []
  for (const [index, [uid, flags, size, internalAt, sourceEid]] of rows.entries()) {
    const { eid, tid } = copyEmail(across, sourceEid, across.threadKeys.get(uid) ?? '[]')
    copied.push({ emailId: emailIdOf(work.tag, eid), threadId: threadIdOf(work.tag, tid) })
    const isRead = read.has(uid) && (mask & SEEN) !== 0
    if (isRead && work.by !== undefined) readHere.push(to.uidNext + index)
    const become = flagsIn(flags) + (isRead && work.by === undefined ? SEEN : 0)
    tally.unseen += become % 2 === 0 ? 1 : 0
    tally.deleted += (become & 8) === 0 ? 0 : 1
    tally.bytes += size
    sql.run(
      `INSERT INTO message (aid, mid, uid, flags, modseq, size, internal_at, saved_at, eid, uidl)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)`,
      aid,
      to.mid,
      to.uidNext + index,
      become,
      modSeq,
      size,
      as?.internalDateMs ?? internalAt,
      work.nowMs,
      eid,
    )
  }
  if (work.by !== undefined)
    setSeen({ sql, aid, mid: to.mid, who: actor }, Uint32Array.from(readHere), true)
  sql.run(
    'UPDATE mailbox SET uidnext = ? WHERE aid = ? AND mid = ?',
    to.uidNext + rows.length,
    aid,
    to.mid,
  )
  count(work, { mid: to.mid, modSeq, sign: 1, ...tally })
  return copied
}

/** UIDs that the one who copies has read, as the owner or as somebody else. */
function seenIn({ source, from, as }: Across, rows: readonly SourceRow[]): ReadonlySet<number> {
  if (as !== undefined) return new Set((as.flags & SEEN) === 0 ? [] : rows.map(([uid]) => uid))
  if (source.by === undefined)
    return new Set(rows.filter(([, flags]) => (flags & SEEN) !== 0).map(([uid]) => uid))
  const uids = Uint32Array.from(rows, ([uid]) => uid)
  return new Set(seenOf({ ...source, mid: from.mid, who: source.by }, uids))
}

/** Flags without \Seen as they are in the other mailbox, whose keywords have slots of their own. */
function flagMapper({ work, from, to, as }: Across, mask: number): (flags: number) => number {
  const known = new Map<number, number>()
  return (flags) => {
    const found = known.get(flags)
    if (found !== undefined) return found
    const keywords =
      as?.keywords ??
      from.keywords.filter(
        (_, slot) => Math.floor(flags / 2 ** (SYSTEM_FLAGS.length + slot)) % 2 === 1,
      )
    const bits = mask > 31 ? keywordBits(work, to, { keywords, allocate: true }) : 0
    const become = ((as?.flags ?? flags) & 31 & ~SEEN & mask) + bits
    known.set(flags, become)
    return become
  }
}

type CopiedEmail = { readonly emailId: EmailId; readonly threadId: ThreadId }

/** The email in the other account, once a commit: its octets and meta lie where they lay. */
function copyEmail(
  { work, source }: Across,
  sourceEid: number,
  threadKeys: string,
): { readonly eid: number; readonly tid: number } {
  const key = `${source.aid}/${sourceEid}`
  const known = work.copied.get(key)
  if (known !== undefined) return known
  const eid = work.nextEid++
  const tid = threadOf(work, threadKeys, eid)
  work.copied.set(key, { eid, tid })
  work.sql.run(
    `INSERT INTO email (aid, eid, tid, kind, file, offset, length, meta_kind, meta_file, meta_offset,
       meta_length, prefix)
     SELECT ?, ?, ?, kind, file, offset, length, meta_kind, meta_file, meta_offset, meta_length,
       prefix FROM email WHERE aid = ? AND eid = ?`,
    work.aid,
    eid,
    tid,
    source.aid,
    sourceEid,
  )
  return { eid, tid }
}
