import { DELETED } from '#model/mailbox.ts'
import type { EmailId, MailboxPath } from '#model/mailbox.ts'
import type { ChangeResult, MailboxChange } from '#store/mailbox/commit.ts'
import { UID_MAX } from './copy.ts'
import { keywordBits } from './keywords.ts'
import { count } from '#store/mailbox/rows/pick.ts'
import { deleteEmail } from '#store/mailbox/rows/content.ts'
import { Refusal } from '#store/mailbox/rows/refusal.ts'
import { mailboxByMid, pathOf } from '#store/mailbox/rows/row.ts'
import type { Mailbox } from '#store/mailbox/rows/row.ts'
import type { ExpungedEmail } from '#store/mailbox/stored-email.ts'
import { resolveMailbox } from './tree.ts'
import { eidOf, emailIdOf, mailboxIdOf, nextModSeq } from '#store/mailbox/rows/work.ts'
import type { AccountWork } from '#store/mailbox/rows/work.ts'

type RestoreChange = Extract<MailboxChange, { kind: 'restore' }>

const SYSTEM = 31

/**
 * Each email comes back where it lay last: a mailbox that was deleted is made again, and what lay in
 * the trash goes to where it came from. It is another email from now on, with numbers of its own:
 * to a program that was told of its end it is new (RFC 8620 §5.2), and its retention counts anew.
 */
export function restore(work: AccountWork, change: RestoreChange): ChangeResult {
  let restored = 0
  for (const id of new Set(change.emailIds)) {
    const eid = eidOf(work.tag, id)
    const place = eid === undefined ? undefined : placeOf(work, eid)
    if (place === undefined) continue
    const ref =
      change.to ??
      (place.isThere
        ? { id: mailboxIdOf(work.tag, place.mid) }
        : { path: place.path ?? ['INBOX'], create: true })
    insert(work, resolveMailbox(work, ref), place)
    restored++
  }
  return { kind: 'restore', restored }
}

/** Emails that were expunged since a time and lie nowhere else, in the order in which they came. */
export function listExpunged(
  work: AccountWork,
  ask: { readonly sinceMs: number; readonly after?: EmailId; readonly limit: number },
): ExpungedEmail[] {
  const after = ask.after === undefined ? 0 : (eidOf(work.tag, ask.after) ?? 0)
  return work.sql
    .all<[number]>(
      `SELECT DISTINCT eid FROM gone INDEXED BY gone_email
       WHERE aid = ?1 AND eid IS NOT NULL AND eid > ?2 AND gone_at >= ?3
         AND NOT EXISTS (SELECT 1 FROM message m WHERE m.aid = ?1 AND m.eid = gone.eid)
       ORDER BY eid LIMIT ?4`,
      work.aid,
      after,
      ask.sinceMs,
      ask.limit,
    )
    .flatMap(([eid]) => {
      const place = placeOf(work, eid)
      if (place === undefined) return []
      const { mid, uid, sizeBytes, internalDateMs, goneAtMs } = place
      return {
        emailId: emailIdOf(work.tag, eid),
        mailboxId: mailboxIdOf(work.tag, mid),
        uid,
        path: place.path ?? ['INBOX'],
        sizeBytes,
        internalDateMs,
        goneAtMs,
      }
    })
}

interface Place {
  readonly eid: number
  readonly mid: number
  readonly uid: ExpungedEmail['uid']
  readonly flags: number
  readonly sizeBytes: number
  readonly internalDateMs: number
  readonly goneAtMs: number
  /** Absent for a mailbox whose name nobody noted. */
  readonly path?: MailboxPath
  readonly isThere: boolean
}

/** Where the email lay last, but rather where it lay before the trash; undefined where it lies somewhere still. */
function placeOf(work: AccountWork, eid: number): Place | undefined {
  const { sql, aid } = work
  if (sql.get('SELECT 1 FROM message WHERE aid = ? AND eid = ? LIMIT 1', aid, eid) !== undefined)
    return undefined
  const places = sql
    .all<[number, ExpungedEmail['uid'], number, number, number, number]>(
      `SELECT mid, uid, flags, size, internal_at, gone_at FROM gone INDEXED BY gone_email
       WHERE aid = ? AND eid = ? ORDER BY modseq DESC`,
      aid,
      eid,
    )
    .map((row) => {
      const [mid, uid, flags, sizeBytes, internalDateMs, goneAtMs] = row
      const box = mailboxByMid(work, mid)
      const path = box === undefined ? buriedPath(work, mid) : pathOf(work, box)
      return {
        eid,
        mid,
        uid,
        flags,
        sizeBytes,
        internalDateMs,
        goneAtMs,
        ...(path === undefined ? {} : { path }),
        isThere: box !== undefined && !box.noSelect,
        isTrash: box?.use === 'trash',
      }
    })
  return places.find(({ isTrash }) => !isTrash) ?? places[0]
}

function buriedPath(work: AccountWork, mid: number): MailboxPath | undefined {
  const [text] = work.sql.get<[string | null]>(
    'SELECT path FROM gone_mailbox WHERE aid = ? AND mid = ?',
    work.aid,
    mid,
  ) ?? [null]
  return text === null ? undefined : (JSON.parse(text) as string[])
}

function insert(work: AccountWork, given: Mailbox, place: Place): void {
  const { sql, aid } = work
  const { eid, mid, uid } = place
  const to = mailboxByMid(work, given.mid) ?? given
  if (to.uidNext > UID_MAX) throw new Refusal('limit', 'The mailbox has no more UIDs')
  const flags = flagsIn(work, to, place)
  const modSeq = nextModSeq(work, to.mid)
  const made = work.nextEid++
  sql.run(
    `INSERT INTO email (aid, eid, tid, kind, file, offset, length, meta_kind, meta_file, meta_offset,
       meta_length, prefix)
     SELECT aid, ?, tid, kind, file, offset, length, meta_kind, meta_file, meta_offset, meta_length,
       prefix FROM email WHERE aid = ? AND eid = ?`,
    made,
    aid,
    eid,
  )
  sql.run(
    `INSERT INTO message (aid, mid, uid, flags, modseq, size, internal_at, saved_at, eid, uidl)
     SELECT aid, ?, ?, ?, ?, size, internal_at, ?, ?, NULL FROM gone
     WHERE aid = ? AND mid = ? AND uid = ?`,
    to.mid,
    to.uidNext,
    flags,
    modSeq,
    work.nowMs,
    made,
    aid,
    mid,
    uid,
  )
  sql.run('UPDATE mailbox SET uidnext = uidnext + 1 WHERE aid = ? AND mid = ?', aid, to.mid)
  const bytes = place.sizeBytes
  const unseen = flags % 2 === 0 ? 1 : 0
  count(work, { mid: to.mid, modSeq, sign: 1, messages: 1, unseen, deleted: 0, bytes })
  // Told as vanished still, but no longer there to come back a second time.
  sql.run('UPDATE gone SET eid = NULL WHERE aid = ? AND eid = ?', aid, eid)
  deleteEmail(sql, aid, eid)
}

/** Without \Deleted. Keywords have other slots elsewhere, and none where their mailbox is gone. */
function flagsIn(work: AccountWork, to: Mailbox, { mid, flags }: Place): number {
  const system = flags & SYSTEM & ~DELETED
  const from = mailboxByMid(work, mid)
  if (from === undefined) return system
  const keywords = from.keywords.filter((_, slot) => Math.floor(flags / 2 ** (5 + slot)) % 2 === 1)
  return system + keywordBits(work, to, { keywords, allocate: true })
}
