import { filesOfVolume, scanSegment } from '#store/blob/scan-segment.ts'
import type { BlobRef } from '#store/blob/blobs.ts'
import type { Position } from '#store/journal/journal-record.ts'
import type { Untold } from '#store/journal/replay.ts'
import { applyCommits } from '#store/mailbox/change/apply.ts'
import { decodeNote } from '#store/mailbox/change/note.ts'
import type { Note } from '#store/mailbox/change/note.ts'
import type { AccountCommit, AccountCommitResult, MailboxChange } from '#store/mailbox/commit.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'

interface Volume {
  readonly sql: Sql
  readonly dir: string
  readonly nowMs: number
}

/**
 * Makes the commits once more that stand in segments where the journal says nothing of them: each
 * message that was acknowledged is there then, once. How many of each account.
 */
export function refile(volume: Volume, untold: readonly Untold[]): ReadonlyMap<string, number> {
  const { sql } = volume
  const refiled = new Map<string, number>()
  // Rows whose message the journal has lost: what stands in its note comes back below.
  for (const table of ['message', 'gone'])
    sql.run(
      `DELETE FROM ${table} WHERE eid IS NOT NULL AND NOT EXISTS
       (SELECT 1 FROM email e WHERE e.aid = ${table}.aid AND e.eid = ${table}.eid)`,
    )
  fileOrphans(volume, refiled)
  for (const note of notesIn(volume.dir, untold)) {
    note.commits.forEach((commit, index) => {
      const entries = { contents: note.placed.contents, outbox: [note.placed.outbox[index] ?? []] }
      // An administrator's limit is no reason to lose what was taken.
      const { quota: _, ...taken } = commit
      const again = (each: AccountCommit): AccountCommitResult =>
        applyCommits(sql, note.atMs, [each], entries).results[0]!
      const made = again(taken)
      const result = made.kind === 'refused' ? again({ ...taken, changes: intoInbox(taken) }) : made
      if (result.kind !== 'committed') return
      const appended = result.results.filter(({ kind }) => kind === 'append').length
      refiled.set(commit.accountId, (refiled.get(commit.accountId) ?? 0) + appended)
    })
  }
  return refiled
}

/**
 * What it brought, where the mailbox that it was for is not there: lost as well, or it never was, and the
 * request was refused. Nothing tells them apart, and mail too many is better than mail too few.
 */
const intoInbox = ({ changes }: AccountCommit): readonly MailboxChange[] =>
  changes.flatMap((change) => {
    if (change.kind !== 'append') return []
    const { assigned: _, ...rest } = change
    return { ...rest, mailbox: { path: ['INBOX'], create: false } }
  })

/** Emails that no mailbox shows, as of one that was filed where the journal is damaged: into INBOX. */
function fileOrphans({ sql, nowMs }: Volume, refiled: Map<string, number>): void {
  const orphans = sql.all<[number, number, string, number]>(
    `SELECT e.aid, e.eid, a.id, e.length + coalesce(length(e.prefix), 0)
     FROM email e JOIN account a ON a.aid = e.aid
     WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.aid = e.aid AND m.eid = e.eid)
     AND NOT EXISTS (SELECT 1 FROM gone g WHERE g.aid = e.aid AND g.eid = e.eid)`,
  )
  for (const [aid, eid, accountId, size] of orphans) {
    const count = sql.run(
      `INSERT INTO message (aid, mid, uid, flags, modseq, size, internal_at, saved_at, eid)
       SELECT aid, mid, uidnext, 0, modseq, ?3, ?4, ?4, ?2 FROM mailbox WHERE aid = ?1 AND use = 'inbox'`,
      aid,
      eid,
      size,
      nowMs,
    )
    sql.run(`UPDATE mailbox SET uidnext = uidnext + 1 WHERE aid = ? AND use = 'inbox'`, aid)
    refiled.set(accountId, (refiled.get(accountId) ?? 0) + count)
  }
}

/** The notes whose octets are whole, in the order in which they were written. */
function* notesIn(dir: string, untold: readonly Untold[]): Generator<Note> {
  const { segments, large } = filesOfVolume(dir)
  const files = new Set(large)
  for (const file of segments) {
    if (!untold.some(({ from, to }) => from[0] <= file && (to === undefined || file <= to[0])))
      continue
    const whole = new Set<number>()
    for (const { offset, codec, content } of scanSegment(dir, file, 0)) {
      if (codec !== 'note') {
        whole.add(offset)
        continue
      }
      if (!untold.some((range) => lies([file, offset], range))) continue
      const note = noteOf(content)
      const isWhole = (ref: BlobRef): boolean =>
        ref.kind === 'large' ? files.has(ref.file) : ref.file !== file || whole.has(ref.offset)
      if (note?.placed.contents.every(({ ref }) => isWhole(ref)) === true) yield note
    }
  }
}

function noteOf(content: Buffer): Note | undefined {
  try {
    return decodeNote(content)
  } catch {
    return undefined
  }
}

const isBefore = (a: Position, b: Position): boolean =>
  a[0] < b[0] || (a[0] === b[0] && a[1] < b[1])
const lies = (at: Position, { from, to }: Untold): boolean =>
  !isBefore(at, from) && (to === undefined || isBefore(at, to))
