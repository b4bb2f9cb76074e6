import type { AccountId } from '#model/account.ts'
import { SYSTEM_FLAGS } from '#model/mailbox.ts'
import type { EmailId, MailboxId, Uid } from '#model/mailbox.ts'
import type { ChangeResult, MailboxChange } from '#store/mailbox/commit.ts'
import { annotationId, annotationText, SCRIPT_ENTRY } from '#store/mailbox/kept-object.ts'
import type { KeptObject } from '#store/mailbox/kept-object.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'
import { emailIdOf, mailboxIdOf, midOf } from '#store/mailbox/rows/work.ts'
import type { AccountWork } from '#store/mailbox/rows/work.ts'

/** How a message came into its mailbox, or that its flags have changed (RFC 6785 §4.3). */
export type EventCause = 'APPEND' | 'COPY' | 'FLAG'

/** What has happened to a message of a mailbox that has a script for it, until that has run. */
export interface ScriptEvent {
  /** Never used twice. */
  readonly id: number
  readonly accountId: AccountId
  readonly mailboxId: MailboxId
  readonly uid: Uid
  readonly emailId: EmailId
  readonly cause: EventCause
  /** Flags that were set or taken away, as IMAP names them. */
  readonly changed: readonly string[]
  /** Who has done it: the owner or another. */
  readonly by: AccountId
  /** The name of the script among the owner's, as the mailbox had it then. */
  readonly script: string
  readonly atMs: number
}

/** What of one account waits at most; what is beyond it runs no script, and that is told. */
export const SCRIPT_EVENTS_MAX = 100_000

/** Notes in the commit's own transaction which messages it has brought into mailboxes with a script. */
export function noteEvents(
  work: AccountWork,
  changes: readonly MailboxChange[],
  results: readonly ChangeResult[],
): void {
  for (const [index, result] of results.entries()) {
    const change = changes[index]
    if (result.kind === 'append' && change?.kind === 'append' && change.assigned === undefined)
      noteArrived(work, 'APPEND', result.mailboxId, [result.uid])
    else if (result.kind === 'copy' || result.kind === 'move')
      noteArrived(work, 'COPY', result.mailboxId, Array.from(result.targets))
  }
}

function noteArrived(
  work: AccountWork,
  cause: EventCause,
  mailboxId: MailboxId,
  uids: readonly number[],
): void {
  const mid = midOf(work.tag, mailboxId)
  const script = mid === undefined ? undefined : scriptFor(work, mid)
  if (script === undefined || uids.length === 0) return
  note(work, script, {
    mid: mid!,
    cause,
    changed: '0',
    picked: 'SELECT value AS uid FROM json_each(?)',
    values: [JSON.stringify(uids)],
  })
}

/** The same of flags, before what is picked gets the new ones: old & keep | set. */
export function noteFlags(
  work: AccountWork,
  mid: number,
  { keep, set }: { readonly keep: number; readonly set: number },
): void {
  const script = scriptFor(work, mid)
  if (script === undefined) return
  const after = `(m.flags & ${keep} | ${set})`
  const changed = `((m.flags | ${after}) - (m.flags & ${after}))`
  note(work, script, { mid, cause: 'FLAG', changed, picked: 'SELECT uid FROM picked', values: [] })
}

function note(
  work: AccountWork,
  script: string,
  what: {
    readonly mid: number
    readonly cause: EventCause
    readonly changed: string
    readonly picked: string
    readonly values: readonly string[]
  },
): void {
  const { sql, aid, nowMs, by } = work
  const { mid, cause, changed, picked, values } = what
  const isFull = sql.get(
    `SELECT 1 FROM script_event WHERE aid = ? LIMIT 1 OFFSET ${SCRIPT_EVENTS_MAX}`,
    aid,
  )
  if (isFull !== undefined) {
    work.events = 'leftOut'
    return
  }
  const noted = sql.run(
    `INSERT INTO script_event (aid, mid, uid, eid, cause, changed, who, script, at)
     SELECT m.aid, m.mid, m.uid, m.eid, ?, ${changed}, ?, ?, ?
     FROM (${picked}) p CROSS JOIN message m ON m.aid = ? AND m.mid = ? AND m.uid = p.uid
     ${cause === 'FLAG' ? `WHERE ${changed} <> 0` : ''} ORDER BY m.uid`,
    cause,
    by ?? null,
    script,
    nowMs,
    ...values,
    aid,
    mid,
  )
  if (noted > 0) work.events ??= 'noted'
}

/** RFC 6785 §2.3.1: the mailbox's own entry counts, be it empty, else that of the whole account. */
function scriptFor({ sql, aid, tag, isTold }: AccountWork, mid: number): string | undefined {
  if (isTold !== true) return undefined
  const own = annotationId(mailboxIdOf(tag, mid), SCRIPT_ENTRY)
  const entries = sql.all<[string, string]>(
    `SELECT id, value FROM object
     WHERE aid = ? AND kind = 'Annotation' AND id IN (?, ?) AND gone_at IS NULL`,
    aid,
    own,
    annotationId(undefined, SCRIPT_ENTRY),
  )
  const [, value] = entries.find(([id]) => id === own) ?? entries[0] ?? []
  if (value === undefined) return undefined
  const name = annotationText(JSON.parse(value) as KeptObject['value'])
  return name === '' ? undefined : name
}

type Row = readonly [
  seq: number,
  accountId: AccountId,
  tag: string,
  mid: number,
  uid: number,
  eid: number,
  cause: EventCause,
  changed: number,
  who: AccountId | null,
  script: string,
  at: number,
  keywords: string | null,
]

export const waitingEvents = (
  sql: Sql,
  { limit, after = 0 }: { readonly limit: number; readonly after?: number },
): ScriptEvent[] =>
  sql
    .all<[...Row]>(
      `SELECT e.seq, a.id, a.tag, e.mid, e.uid, e.eid, e.cause, e.changed, e.who, e.script, e.at,
         m.keywords
       FROM script_event e JOIN account a ON a.aid = e.aid
       LEFT JOIN mailbox m ON m.aid = e.aid AND m.mid = e.mid
       WHERE e.seq > ? ORDER BY e.seq LIMIT ?`,
      after,
      limit,
    )
    .map(([id, accountId, tag, mid, uid, eid, cause, changed, who, script, atMs, keywords]) => ({
      id,
      accountId,
      mailboxId: mailboxIdOf(tag, mid),
      uid: uid as Uid,
      emailId: emailIdOf(tag, eid),
      cause,
      changed: [...SYSTEM_FLAGS, ...(JSON.parse(keywords ?? '[]') as string[])].filter(
        (_, bit) => Math.floor(changed / 2 ** bit) % 2 === 1,
      ),
      by: who ?? accountId,
      script,
      atMs,
    }))

/** In the commit that does what the script wants; false where it was done before. */
export const takeEvent = ({ sql, aid }: AccountWork, id: number): boolean =>
  sql.run('DELETE FROM script_event WHERE seq = ? AND aid = ?', id, aid) === 1

export const eventsDone = (sql: Sql, ids: readonly number[]): unknown =>
  sql.run(
    'DELETE FROM script_event WHERE seq IN (SELECT value FROM json_each(?))',
    JSON.stringify(ids),
  )
