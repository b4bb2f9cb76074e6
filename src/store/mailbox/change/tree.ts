import { isSamePath, MAILBOXES_PER_ACCOUNT_MAX, othersName } from '#model/mailbox.ts'
import type { MailboxId, MailboxPath, SpecialUse } from '#model/mailbox.ts'
import { midOf, nextModSeq, nextUidValidity } from '#store/mailbox/rows/work.ts'
import type { AccountWork } from '#store/mailbox/rows/work.ts'
import { moveMessages } from './copy.ts'
import { expungeAll } from './expunge.ts'
import { forgetAcl, grant, inheritAcl } from './grant.ts'
import { isInbox, storedPath } from './names.ts'
import { Refusal } from '#store/mailbox/rows/refusal.ts'
import { forgetAnnotations } from '#store/mailbox/objects/objects.ts'
import {
  mailboxAt,
  mailboxByMid,
  pathOf,
  retainDaysOf,
  retentionColumn,
} from '#store/mailbox/rows/row.ts'
import type { Mailbox } from '#store/mailbox/rows/row.ts'
import type { MailboxChange, MailboxRef } from '#store/mailbox/commit.ts'
import { RETAIN_DAYS_MAX } from '#store/mailbox/mailbox-view.ts'
import type { Retention } from '#store/mailbox/mailbox-view.ts'

const ROOT = 0

/** The mailbox that may hold messages; throws Refusal `noMailbox`. */
export function mailboxOf(work: AccountWork, id: MailboxId): Mailbox {
  const mid = midOf(work.tag, id)
  const row = mid === undefined ? undefined : mailboxByMid(work, mid)
  if (row === undefined || row.noSelect) throw new Refusal('noMailbox', 'No such mailbox')
  return row
}

export function resolveMailbox(work: AccountWork, ref: MailboxRef): Mailbox {
  if ('id' in ref) return mailboxOf(work, ref.id)
  const path = storedPath(ref.path)
  const found = findPath(work, path)
  if (found !== undefined && !found.noSelect) return found
  if (!ref.create) throw new Refusal('noMailbox', 'No such mailbox')
  const made = createMailbox(work, path, ref.use && freeUse(work, ref.use))
  subscribe(work, path, true)
  return made
}

function findPath(work: AccountWork, path: readonly string[]): Mailbox | undefined {
  let row: Mailbox | undefined
  for (const name of path) {
    row = mailboxAt(work, row?.mid ?? ROOT, name)
    if (row === undefined) return undefined
  }
  return row
}

/** Makes the mailbox and what is missing above it (RFC 9051 §6.3.4). Throws Refusal `exists`, `limit`, `badName`. */
export function createMailbox(work: AccountWork, given: MailboxPath, use?: SpecialUse): Mailbox {
  const path = storedPath(given)
  const parent = path.length === 1 ? ROOT : parentOf(work, path)
  const existing = mailboxAt(work, parent, path.at(-1)!)
  if (existing !== undefined && !existing.noSelect)
    throw new Refusal('exists', 'The mailbox exists already')
  if (use !== undefined) requireFreeUse(work, use)
  if (existing === undefined) return insertMailbox(work, parent, path.at(-1)!, use)
  // A name that was only kept for its children: nothing of what it once held comes back.
  const modSeq = nextModSeq(work, existing.mid)
  work.hasNewNames = true
  work.sql.run(
    `UPDATE mailbox SET noselect = 0, use = ?, uidvalidity = ?, modseq = ?, made_modseq = ?,
     named_modseq = ?, purged_modseq = ? WHERE aid = ? AND mid = ?`,
    use ?? null,
    nextUidValidity(work),
    modSeq,
    modSeq,
    modSeq,
    modSeq,
    work.aid,
    existing.mid,
  )
  inheritAcl(work, existing.mid, existing.parent)
  return mailboxByMid(work, existing.mid)!
}

function parentOf(work: AccountWork, path: readonly string[]): number {
  let parent = ROOT
  for (const name of path.slice(0, -1))
    parent = (mailboxAt(work, parent, name) ?? insertMailbox(work, parent, name)).mid
  return parent
}

function requireFreeUse(work: AccountWork, use: SpecialUse): void {
  if (use === 'inbox') {
    if (work.nextMid > 1) throw new Refusal('reserved', 'There is one INBOX')
    return
  }
  // RFC 8621 §2: at most one mailbox of an account has a role.
  if (freeUse(work, use) === undefined)
    throw new Refusal('conflict', 'Another mailbox has that special use')
}

/** The role, unless another mailbox has it. */
const freeUse = (work: AccountWork, use: SpecialUse): SpecialUse | undefined =>
  work.sql.get(
    'SELECT 1 FROM mailbox WHERE aid = ? AND use = ? AND noselect = 0',
    work.aid,
    use,
  ) === undefined
    ? use
    : undefined

function insertMailbox(work: AccountWork, parent: number, name: string, use?: SpecialUse): Mailbox {
  const [count] = work.sql.get<[number]>(
    'SELECT count(*) FROM mailbox WHERE aid = ?',
    work.aid,
  ) ?? [0]
  const { mailboxesMax = MAILBOXES_PER_ACCOUNT_MAX } = work
  if (count >= mailboxesMax)
    throw new Refusal(
      work.mailboxesMax === undefined ? 'limit' : 'quota',
      `An account has at most ${mailboxesMax} mailboxes`,
    )
  const mid = work.nextMid++
  const modSeq = nextModSeq(work, mid)
  work.hasNewNames = true
  work.sql.run(
    `INSERT INTO mailbox (aid, mid, parent, name, use, uidvalidity, modseq, made_modseq,
     named_modseq, purged_modseq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    work.aid,
    mid,
    parent,
    name,
    use ?? null,
    nextUidValidity(work),
    modSeq,
    modSeq,
    modSeq,
    modSeq,
  )
  inheritAcl(work, mid, parent)
  return mailboxByMid(work, mid)!
}

/**
 * Renames with all that lies below. INBOX stays: its messages move to the new mailbox and its
 * children keep their names (RFC 9051 §6.3.6).
 */
export function renameMailbox(
  work: AccountWork,
  change: Omit<Extract<MailboxChange, { kind: 'rename' }>, 'kind'>,
): Mailbox {
  const row = anyMailbox(work, change.mailboxId)
  const path = storedPath(change.path)
  const old = pathOf(work, row)
  if (change.from !== undefined && !isSamePath(storedPath(change.from), old))
    throw new Refusal('noMailbox', 'The mailbox has got another name')
  if (isInbox(old)) {
    const made = createMailbox(work, path)
    moveMessages(work, row, made, { uids: 'all' })
    return mailboxByMid(work, made.mid)!
  }
  if (old.every((name, depth) => path[depth] === name) && path.length > old.length)
    throw new Refusal('badName', 'A mailbox cannot be moved below itself')
  const parent = path.length === 1 ? ROOT : parentOf(work, path)
  if (mailboxAt(work, parent, path.at(-1)!) !== undefined)
    throw new Refusal('exists', 'The mailbox exists already')
  requireDepth(work, row, path.length)
  const keptDays = retainDaysOf(work, row)
  work.modSeq++
  work.hasNewNames = true
  work.sql.run(
    'UPDATE mailbox SET parent = ?, name = ?, named_modseq = ? WHERE aid = ? AND mid = ?',
    parent,
    path.at(-1)!,
    work.modSeq,
    work.aid,
    row.mid,
  )
  work.touched.set(row.mid, row.modSeq)
  copySubscriptions(work, old, path)
  pruneNames(work, row.parent)
  const moved = mailboxByMid(work, row.mid)!
  // Whoever moves a mailbox of years below Junk has not asked for all of it to go tonight.
  if (retainDaysOf(work, moved) !== keptDays) retainFromNow(work, moved)
  return mailboxByMid(work, row.mid)!
}

/** Days that are others' count from now on, for the mailbox and all that lies below. */
function retainFromNow(work: AccountWork, row: Mailbox): void {
  work.sql.run(
    `UPDATE mailbox SET retain_from = ?3 WHERE aid = ?2 AND mid IN (
       WITH RECURSIVE below (mid) AS (
         SELECT ?1
         UNION ALL
         SELECT child.mid FROM below JOIN mailbox child ON child.aid = ?2 AND child.parent = below.mid
       ) SELECT mid FROM below)`,
    row.mid,
    work.aid,
    work.nowMs,
  )
}

function requireDepth(work: AccountWork, row: Mailbox, depth: number): void {
  const [below] = work.sql.get<[number]>(
    `WITH RECURSIVE below (mid, depth) AS (
       SELECT ?, 0
       UNION ALL
       SELECT child.mid, below.depth + 1
       FROM below JOIN mailbox child ON child.aid = ? AND child.parent = below.mid
     ) SELECT max(depth) FROM below`,
    row.mid,
    work.aid,
  ) ?? [0]
  storedPath(Array.from({ length: depth + below }, () => 'x'))
}

/** Names stay subscribed (RFC 9051 §6.3.8: never taken away unasked); the new ones become so as well. */
function copySubscriptions(work: AccountWork, old: MailboxPath, path: MailboxPath): void {
  const rows = work.sql.all<[string]>('SELECT path FROM subscription WHERE aid = ?', work.aid)
  for (const [text] of rows) {
    const name = JSON.parse(text) as string[]
    if (old.every((component, depth) => name[depth] === component))
      subscribe(work, [...path, ...name.slice(old.length)], true)
  }
}

/** Deletes; a mailbox with children leaves its name behind (RFC 9051 §6.3.5). Messages stay readable for a time. */
export function deleteMailbox(work: AccountWork, id: MailboxId): void {
  const row = anyMailbox(work, id)
  if (row.use === 'inbox') throw new Refusal('reserved', 'INBOX cannot be deleted')
  const path = pathOf(work, row)
  const child = work.sql.get(
    'SELECT 1 FROM mailbox WHERE aid = ? AND parent = ? LIMIT 1',
    work.aid,
    row.mid,
  )
  if (row.noSelect) throw new Refusal('noMailbox', 'No such mailbox; its name stands for others')
  expungeAll(work, row)
  work.hasNewNames = true
  work.sql.run('DELETE FROM mailbox WHERE aid = ? AND mid = ?', work.aid, row.mid)
  buryMailbox(work, row.mid, path)
  forgetAcl(work, row.mid)
  forgetAnnotations(work, id)
  if (child === undefined) pruneNames(work, row.parent)
  else {
    // A number of its own: should the name be used again, it is another mailbox (RFC 8474 §4).
    const name = insertMailbox(work, row.parent, row.name)
    forgetAcl(work, name.mid)
    work.sql.run(
      'UPDATE mailbox SET noselect = 1, retain_days = ? WHERE aid = ? AND mid = ?',
      row.retainDays,
      work.aid,
      name.mid,
    )
    work.sql.run(
      'UPDATE mailbox SET parent = ?, named_modseq = ? WHERE aid = ? AND parent = ?',
      name.mid,
      work.modSeq,
      work.aid,
      row.mid,
    )
  }
}

/** Leaves word that the mailbox was there: its number is never used again (RFC 8620 §5.2). */
function buryMailbox(work: AccountWork, mid: number, path?: MailboxPath): void {
  work.modSeq++
  work.sql.run(
    'INSERT INTO gone_mailbox (aid, mid, modseq, path) VALUES (?, ?, ?, ?)',
    work.aid,
    mid,
    work.modSeq,
    path === undefined ? null : JSON.stringify(path),
  )
}

/** Names that were kept for children which they no longer have go as well. */
function pruneNames(work: AccountWork, from: number): void {
  for (let mid = from; mid !== ROOT;) {
    const row = mailboxByMid(work, mid)
    if (row === undefined || !row.noSelect) return
    const gone = work.sql.run(
      `DELETE FROM mailbox WHERE aid = ?1 AND mid = ?2
       AND NOT EXISTS (SELECT 1 FROM mailbox WHERE aid = ?1 AND parent = ?2)`,
      work.aid,
      mid,
    )
    if (gone === 0) return
    work.hasNewNames = true
    buryMailbox(work, mid)
    mid = row.parent
  }
}

/** Subscriptions are names: the mailbox need not exist (RFC 9051 §6.3.7). */
export function subscribe(work: AccountWork, given: MailboxPath, on: boolean): void {
  const path = storedPath(given)
  const row = putSubscription(work, path, on) ? findPath(work, path) : undefined
  if (row !== undefined) noteName(work, row)
}

/**
 * Subscribes another than the owner to a mailbox of the owner's. It is kept with the reader, and told as a
 * change in the mailbox, of none of its messages: so the reader's other programs hear of it. (One of its name
 * would have all other readers begin anew.)
 */
export function subscribeReader(
  work: AccountWork,
  reader: AccountWork,
  { path, on }: Pick<Extract<MailboxChange, { kind: 'subscribe' }>, 'path' | 'on'>,
): void {
  const row = findPath(work, storedPath(path))
  if (row === undefined) throw new Refusal('noMailbox', 'No such mailbox')
  const name = othersName(work.accountId, pathOf(work, row))
  if (!putSubscription(reader, name, on)) return
  work.sql.run(
    'UPDATE mailbox SET modseq = ? WHERE aid = ? AND mid = ?',
    nextModSeq(work, row.mid),
    work.aid,
    row.mid,
  )
}

/** False where it was so already. */
function putSubscription({ sql, aid }: AccountWork, path: MailboxPath, on: boolean): boolean {
  const statement = on
    ? 'INSERT INTO subscription VALUES (?, ?) ON CONFLICT DO NOTHING'
    : 'DELETE FROM subscription WHERE aid = ? AND path = ?'
  return sql.run(statement, aid, JSON.stringify(path)) > 0
}

/** What is told of a mailbox beside its messages has changed. */
function noteName(work: AccountWork, row: Mailbox): void {
  work.modSeq++
  work.sql.run(
    'UPDATE mailbox SET named_modseq = ? WHERE aid = ? AND mid = ?',
    work.modSeq,
    work.aid,
    row.mid,
  )
  if (!work.touched.has(row.mid)) work.touched.set(row.mid, row.modSeq)
}

/** What JMAP shows it by (RFC 8621 §2); a role is taken only where it is free. */
export function describeMailbox(
  work: AccountWork,
  change: {
    readonly mailboxId: MailboxId
    readonly sortOrder?: number
    readonly use?: SpecialUse | null
  },
): Mailbox {
  const row = mailboxOf(work, change.mailboxId)
  const { use = row.use, sortOrder = row.sortOrder } = change
  if (use !== row.use) {
    if (row.use === 'inbox' || use === 'inbox') throw new Refusal('reserved', 'There is one INBOX')
    if (use !== null) requireFreeUse(work, use)
    work.hasNewNames = true
  }
  work.sql.run(
    'UPDATE mailbox SET use = ?, sort_order = ? WHERE aid = ? AND mid = ?',
    use,
    sortOrder,
    work.aid,
    row.mid,
  )
  noteName(work, row)
  return mailboxByMid(work, row.mid)!
}

/** Holds for what is there already: its days count from when each message entered. */
export function retain(work: AccountWork, id: MailboxId, retention: Retention): Mailbox {
  const row = anyMailbox(work, id)
  if (typeof retention === 'number' && !isDays(retention))
    throw new Refusal('limit', `Days of retention are a whole number from 1 to ${RETAIN_DAYS_MAX}`)
  work.sql.run(
    'UPDATE mailbox SET retain_days = ?, retain_from = NULL WHERE aid = ? AND mid = ?',
    retentionColumn(retention),
    work.aid,
    row.mid,
  )
  noteName(work, row)
  return mailboxByMid(work, row.mid)!
}

/** Rights of others in it; those who have it open are told whether they still may. */
export function grantIn(
  work: AccountWork,
  change: Extract<MailboxChange, { kind: 'grant' }>,
): { readonly row: Mailbox; readonly granted: ReturnType<typeof grant> } {
  const row = mailboxOf(work, change.mailboxId)
  const granted = grant(work, row, change)
  noteName(work, row)
  return { row: mailboxByMid(work, row.mid)!, granted }
}

const isDays = (days: number): boolean =>
  Number.isSafeInteger(days) && days > 0 && days <= RETAIN_DAYS_MAX

function anyMailbox(work: AccountWork, id: MailboxId): Mailbox {
  const mid = midOf(work.tag, id)
  const row = mid === undefined ? undefined : mailboxByMid(work, mid)
  if (row === undefined) throw new Refusal('noMailbox', 'No such mailbox')
  return row
}

/** Readers are told nothing: no MODSEQ moves. */
export function claimRecent({ sql, aid }: AccountWork, row: Mailbox, before: number): void {
  sql.run(
    'UPDATE mailbox SET recent_uid = max(recent_uid, ?) WHERE aid = ? AND mid = ?',
    Math.min(before, row.uidNext),
    aid,
    row.mid,
  )
}
