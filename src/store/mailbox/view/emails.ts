import { Fault } from '#base/outcome.ts'
import { DELETED, SEEN } from '#model/mailbox.ts'
import type { AccountId } from '#model/account.ts'
import type { EmailId, ThreadId, Uid } from '#model/mailbox.ts'
import type { AccountState, EmailPlace, StoredEmail } from '#store/mailbox/stored-email.ts'
import { readableBy } from '#store/mailbox/rows/rights.ts'
import { seenOf } from '#store/mailbox/rows/seen.ts'
import {
  eidOf,
  emailIdOf,
  mailboxIdOf,
  stateOf,
  threadIdOf,
  tidOf,
} from '#store/mailbox/rows/work.ts'
import type { AccountWork } from '#store/mailbox/rows/work.ts'

/** One of the mailboxes of a list; of no list it is any. */
const READABLE = '(?3 IS NULL OR m.mid IN (SELECT value FROM json_each(?3)))'

/** The mailboxes that who asks may read; null to the owner. */
const readable = (work: AccountWork): string | null =>
  work.by === undefined ? null : JSON.stringify([...readableBy(work, work.by).keys()])

const IDS_MAX = 1_000
const SYSTEM_BITS = 31

type PlaceRow = [
  eid: number,
  tid: number,
  mid: number,
  uid: number,
  flags: number,
  size: number,
  internalAt: number,
  savedAt: number,
]

/** Each email with all its copies; to another than the owner with those that they may read. */
export function readEmails(
  work: AccountWork,
  ids: readonly EmailId[],
): { readonly state: AccountState; readonly emails: (StoredEmail | undefined)[] } {
  requireFew(ids)
  const eids = ids.map((id) => eidOf(work.tag, id))
  const rows = work.sql.all<PlaceRow>(
    `SELECT e.eid, e.tid, m.mid, m.uid, m.flags, m.size, m.internal_at, m.saved_at
     FROM json_each(?2) x
     CROSS JOIN email e ON e.aid = ?1 AND e.eid = x.value
     CROSS JOIN message m INDEXED BY message_email ON m.aid = ?1 AND m.eid = e.eid
     WHERE ${READABLE}
     ORDER BY m.mid, m.uid`,
    work.aid,
    JSON.stringify([...new Set(eids.filter((eid) => eid !== undefined))]),
    readable(work),
  )
  if (work.by !== undefined) readAs(work, work.by, rows)
  const keywords = keywordsOf(work, new Set(rows.map((row) => row[2])))
  const found = new Map<number, { threadId: ThreadId; places: EmailPlace[] }>()
  for (const [eid, tid, mid, uid, flags, sizeBytes, internalDateMs, savedAtMs] of rows) {
    const email = found.get(eid) ?? { threadId: threadIdOf(work.tag, tid), places: [] }
    found.set(eid, email)
    email.places.push({
      mailboxId: mailboxIdOf(work.tag, mid),
      uid: uid as Uid,
      flags: flags & SYSTEM_BITS,
      keywords: (keywords.get(mid) ?? []).filter(
        (_, slot) => Math.floor(flags / 2 ** (5 + slot)) % 2 === 1,
      ),
      sizeBytes,
      internalDateMs,
      savedAtMs,
    })
  }
  return {
    state: stateOf(work),
    emails: ids.map((emailId, index) => {
      const eid = eids[index]
      const email = eid === undefined ? undefined : found.get(eid)
      return email && { emailId, ...email }
    }),
  }
}

/** Puts the reader's own \Seen in the place of the owner's. */
function readAs({ sql, aid }: AccountWork, who: AccountId, rows: PlaceRow[]): void {
  for (const [mid, there] of Map.groupBy(rows, (row) => row[2])) {
    const uids = Uint32Array.from(there, (row) => row[3])
    const seen = new Set(seenOf({ sql, aid, mid, who }, uids))
    for (const row of there) row[4] = (row[4] & ~SEEN) + (seen.has(row[3]) ? SEEN : 0)
  }
}

function keywordsOf(work: AccountWork, mids: ReadonlySet<number>): Map<number, string[]> {
  const rows = work.sql.all<[number, string]>(
    `SELECT mid, keywords FROM mailbox WHERE aid = ? AND mid IN (SELECT value FROM json_each(?))`,
    work.aid,
    JSON.stringify([...mids]),
  )
  return new Map(rows.map(([mid, text]) => [mid, JSON.parse(text) as string[]]))
}

/** The emails of each thread that have a copy which is not \Deleted, by the time at which they came. */
export function readThreads(
  work: AccountWork,
  ids: readonly ThreadId[],
): { readonly state: AccountState; readonly threads: (EmailId[] | undefined)[] } {
  requireFew(ids)
  const tids = ids.map((id) => tidOf(work.tag, id))
  const rows = work.sql.all<[tid: number, eid: number]>(
    `SELECT e.tid, e.eid
     FROM json_each(?2) x
     CROSS JOIN email e INDEXED BY email_thread ON e.aid = ?1 AND e.tid = x.value
     CROSS JOIN message m INDEXED BY message_email ON m.aid = ?1 AND m.eid = e.eid
     WHERE m.flags & ${DELETED} = 0 AND ${READABLE}
     GROUP BY e.tid, e.eid ORDER BY min(m.internal_at), e.eid`,
    work.aid,
    JSON.stringify([...new Set(tids.filter((tid) => tid !== undefined))]),
    readable(work),
  )
  const found = new Map<number, EmailId[]>()
  for (const [tid, eid] of rows) {
    const emails = found.get(tid) ?? []
    found.set(tid, emails)
    emails.push(emailIdOf(work.tag, eid))
  }
  return {
    state: stateOf(work),
    threads: tids.map((tid) => (tid === undefined ? undefined : found.get(tid))),
  }
}

function requireFew(ids: readonly string[]): void {
  if (ids.length > IDS_MAX)
    throw new Fault('limit', `at most ${IDS_MAX} ids can be asked for at once`)
}
