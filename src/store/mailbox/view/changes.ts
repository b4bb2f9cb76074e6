import { hasRight } from '#model/acl.ts'
import { DELETED } from '#model/mailbox.ts'
import type {
  AccountPosition,
  AccountState,
  EmailChange,
  MailboxTreeChange,
} from '#store/mailbox/stored-email.ts'
import { readableBy, rightsIn } from '#store/mailbox/rows/rights.ts'
import { emailIdOf, mailboxIdOf, stateOf, threadIdOf } from '#store/mailbox/rows/work.ts'
import type { AccountWork } from '#store/mailbox/rows/work.ts'

interface EmailChanges {
  readonly state: AccountState
  readonly changes: readonly EmailChange[]
  readonly more: boolean
}

/** Every mailbox whose rows may have changed, also one that is no more; of a list those alone. */
const MIDS = `(SELECT mid FROM mailbox WHERE aid = ?1 AND ?3 IS NULL
  UNION ALL SELECT mid FROM gone_mailbox WHERE aid = ?1 AND modseq > ?2 AND ?3 IS NULL
  UNION ALL SELECT value FROM json_each(?3))`

const readableMids = (work: AccountWork): string | null =>
  work.by === undefined ? null : JSON.stringify([...readableBy(work, work.by).keys()])

/**
 * Whether another than the owner may have lost or won mailboxes since: who had which rights then is
 * written nowhere, so they begin anew. A mailbox made since is told as new.
 */
function isOtherTree({ sql, aid, by }: AccountWork, since: { readonly modSeq: number }): boolean {
  return (
    by !== undefined &&
    sql.get(
      `SELECT 1 FROM mailbox WHERE aid = ?1 AND named_modseq > ?2 AND made_modseq <= ?2
       UNION ALL SELECT 1 FROM gone_mailbox WHERE aid = ?1 AND modseq > ?2 LIMIT 1`,
      aid,
      since.modSeq,
    ) !== undefined
  )
}

/**
 * Emails with a copy that came, changed or went after the position: by last change, then number.
 * An email is new by its number. Undefined where rows of that time are no longer told apart
 * (RFC 8620 §5.2: cannotCalculateChanges).
 */
export function emailChanges(
  work: AccountWork,
  ask: { readonly since: AccountPosition; readonly limit: number },
): EmailChanges | undefined {
  const { sql, aid } = work
  const { since, limit } = ask
  if (!isTold(work, since.modSeq) || isOtherTree(work, since)) return undefined
  const readable = readableMids(work)
  const rows = sql.all<[number | null, number]>(
    // From the MODSEQ itself: the last answer may have stopped amid its rows.
    `SELECT eid, max(modseq) FROM (
       SELECT m.eid, m.modseq FROM ${MIDS} b CROSS JOIN message m INDEXED BY message_modseq
         ON m.aid = ?1 AND m.mid = b.mid AND m.modseq >= ?2
       UNION ALL
       SELECT g.eid, g.modseq FROM ${MIDS} b CROSS JOIN gone g INDEXED BY gone_modseq
         ON g.aid = ?1 AND g.mid = b.mid AND g.modseq >= ?2
     ) GROUP BY eid ORDER BY 2, 1`,
    aid,
    since.modSeq,
    readable,
  )
  const behind = rows.filter(
    ([eid, modSeq]) =>
      modSeq > since.modSeq || (since.email !== undefined && (eid ?? 0) > since.email),
  )
  if (behind.some(([eid]) => eid === null)) return undefined
  const cut = behind.slice(0, limit) as [number, number][]
  return {
    state: stateOf(work),
    changes: describe(work, since, { rows: cut, readable }),
    more: cut.length < behind.length,
  }
}

function describe(
  work: AccountWork,
  since: AccountPosition,
  {
    rows,
    readable,
  }: {
    readonly rows: readonly (readonly [number, number])[]
    readonly readable: string | null
  },
): EmailChange[] {
  const found = new Map(
    work.sql
      .all<[number, number, number, number]>(
        `SELECT e.eid, e.tid,
           EXISTS (SELECT 1 FROM message m INDEXED BY message_email
             WHERE m.aid = ?1 AND m.eid = e.eid AND m.flags & ${DELETED} = 0
               AND (?3 IS NULL OR m.mid IN (SELECT value FROM json_each(?3)))),
           EXISTS (SELECT 1 FROM email o INDEXED BY email_thread
             CROSS JOIN message m INDEXED BY message_email ON m.aid = ?1 AND m.eid = o.eid
             WHERE o.aid = ?1 AND o.tid = e.tid AND m.flags & ${DELETED} = 0
               AND (?3 IS NULL OR m.mid IN (SELECT value FROM json_each(?3))))
         FROM json_each(?2) x CROSS JOIN email e ON e.aid = ?1 AND e.eid = x.value`,
        work.aid,
        JSON.stringify(rows.map(([eid]) => eid)),
        readable,
      )
      .map((row) => [row[0], row]),
  )
  return rows.flatMap(([eid, modSeq]) => {
    const row = found.get(eid)
    if (row === undefined) return []
    const [, tid, isThere, isThreadThere] = row
    return [
      {
        emailId: emailIdOf(work.tag, eid),
        isNew: eid >= since.nextEmail,
        isGone: isThere === 0,
        thread: {
          id: threadIdOf(work.tag, tid),
          isNew: tid >= since.nextEmail,
          isGone: isThreadThere === 0,
        },
        modSeq,
        email: eid,
      },
    ]
  })
}

/** Whether all that happened after the MODSEQ still stands in the rows. */
function isTold(work: AccountWork, modSeq: number): boolean {
  if (modSeq > work.modSeq) return false // of a time before a restore
  const { sql, aid } = work
  // Rows brought along behind it, and rows of expunged mail that are gone for good.
  const lost = sql.get(
    `SELECT 1 FROM mailbox WHERE aid = ?1 AND made_modseq <= ?2
     AND (import_modseq > ?2 OR purged_modseq > ?2)
     UNION ALL SELECT 1 FROM gone_mailbox WHERE aid = ?1 AND purged_modseq > ?2 LIMIT 1`,
    aid,
    modSeq,
  )
  return lost === undefined
}

/** Mailboxes that came, changed or went after the position, by last change; to another than the owner those with l. */
export function mailboxChanges(
  work: AccountWork,
  since: Omit<AccountState, 'nextEmail'>,
): { readonly state: AccountState; readonly changes: readonly MailboxTreeChange[] } | undefined {
  if (since.modSeq > work.modSeq || isOtherTree(work, since)) return undefined
  const { sql, aid, tag } = work
  const there = sql.all<[number, number, number]>(
    `SELECT mid, max(modseq, named_modseq), named_modseq FROM mailbox
     WHERE aid = ?1 AND (modseq > ?2 OR named_modseq > ?2)`,
    aid,
    since.modSeq,
  )
  const gone = sql.all<[number, number]>(
    'SELECT mid, modseq FROM gone_mailbox WHERE aid = ? AND modseq > ?',
    aid,
    since.modSeq,
  )
  const changes: MailboxTreeChange[] = [
    ...there
      .filter(([mid]) => isListed(work, mid))
      .map(([mid, modSeq, named]) => ({
        mailboxId: mailboxIdOf(tag, mid),
        isNew: mid >= since.nextMailbox,
        isGone: false,
        countsOnly: named <= since.modSeq,
        modSeq,
      })),
    ...gone.map(([mid, modSeq]) => ({
      mailboxId: mailboxIdOf(tag, mid),
      isNew: mid >= since.nextMailbox,
      isGone: true,
      countsOnly: false,
      modSeq,
    })),
  ]
  return { state: stateOf(work), changes: changes.toSorted((a, b) => a.modSeq - b.modSeq) }
}

const isListed = (work: AccountWork, mid: number): boolean =>
  hasRight(rightsIn(work, mid, work.by), 'l')
