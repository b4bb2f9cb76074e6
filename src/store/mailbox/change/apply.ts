import { assertNever } from '#base/outcome.ts'
import type { MailboxId } from '#model/mailbox.ts'
import type { BlobRef } from '#store/blob/blobs.ts'
import { openAccount } from './account.ts'
import { append } from './append.ts'
import { placeOf } from '#store/mailbox/rows/content.ts'
import type { PlacedContent } from '#store/mailbox/rows/content.ts'
import { copyMessages, moveMessages } from './copy.ts'
import { copyAcross } from './copy-across.ts'
import type { ThreadKeysByUid } from './copy-across.ts'
import { expunge } from './expunge.ts'
import { setFlags } from './flags.ts'
import type {
  AccountCommit,
  AccountCommitResult,
  ChangeResult,
  MailboxChange,
} from '#store/mailbox/commit.ts'
import type { StoreChanged } from '#store/mailbox/mailbox-view.ts'
import { noteJunk } from './junk-report.ts'
import { noteEvents, takeEvent } from './script-event.ts'
import { number } from './number.ts'
import { forgetObject, keepObject } from '#store/mailbox/objects/objects.ts'
import { remember } from './memory.ts'
import { addOutbox, withdrawEntry } from './outbox.ts'
import type { PlacedEntry } from './outbox.ts'
import { askQuota, noteRefused, takeNotice, usedBy } from './quota.ts'
import { isAcross, permit } from './permission.ts'
import { Refusal } from '#store/mailbox/rows/refusal.ts'
import { strangerOf } from '#store/mailbox/rows/rights.ts'
import { restore } from './restore.ts'
import { mailboxRow } from '#store/mailbox/rows/row.ts'
import type { Mailbox } from '#store/mailbox/rows/row.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'
import {
  claimRecent,
  createMailbox,
  deleteMailbox,
  describeMailbox,
  grantIn,
  mailboxOf,
  renameMailbox,
  resolveMailbox,
  retain,
  subscribe,
  subscribeReader,
} from './tree.ts'
import { findAccount, mailboxIdOf, modSeqOf, saveAccount } from '#store/mailbox/rows/work.ts'
import type { AccountWork } from '#store/mailbox/rows/work.ts'

/** What a request's rows need: contents with their places, outbox entries by commit. */
export interface Placed {
  readonly contents: readonly PlacedContent[]
  readonly outbox: readonly (readonly PlacedEntry[])[]
  /** Of what is copied from other accounts, by mailbox. */
  readonly threadKeys?: ReadonlyMap<MailboxId, ThreadKeysByUid>
}

export interface Applied {
  readonly results: readonly AccountCommitResult[]
  readonly changes: readonly StoreChanged[]
  /** Files that a deleted row named; another row may name them still. */
  readonly files: readonly BlobRef[]
}

/** Writes the rows of one request. Each account's commit has a savepoint of its own. */
export function applyCommits(
  sql: Sql,
  nowMs: number,
  commits: readonly AccountCommit[],
  placed: Placed,
): Applied {
  const changes: StoreChanged[] = []
  const files: BlobRef[] = []
  const results = commits.map((commit, index): AccountCommitResult => {
    sql.run('SAVEPOINT account')
    const { result, told, freed } = applyOne(sql, nowMs, commit, {
      contents: placed.contents,
      entries: placed.outbox[index] ?? [],
      threadKeys: placed.threadKeys ?? new Map(),
    })
    if (result.kind !== 'committed') sql.run('ROLLBACK TO account')
    sql.run('RELEASE account')
    changes.push(...told)
    files.push(...freed)
    if (result.kind !== 'refused' || result.refusal.code !== 'quota') return result
    // What people had refused they were told at once: only mail that comes is news to its receiver.
    if (commit.deliveryId === undefined) return result
    const notice = noteRefused(sql, commit.accountId, nowMs)
    return notice === undefined ? result : { ...result, notice }
  })
  return { results, changes, files }
}

/** The contents where they lie by now, as far as one of the commits has filed them. */
export function contentsNow(
  sql: Sql,
  contents: readonly PlacedContent[],
  commits: readonly AccountCommit[],
  results: readonly AccountCommitResult[],
): readonly PlacedContent[] {
  return contents.map((content, index) => {
    for (const [at, result] of results.entries()) {
      const { accountId, changes } = commits[at]!
      if (result.kind !== 'committed') continue
      const nth = changes.findIndex((each) => each.kind === 'append' && each.content === index)
      const filed = result.results[nth]
      if (filed?.kind !== 'append') continue
      return { ...content, ...placeOf(sql, accountId, filed.emailId) }
    }
    return content
  })
}

/** What one account's commit needs of it. */
type OwnPlaced = Required<Pick<Placed, 'contents' | 'threadKeys'>> & {
  readonly entries: readonly PlacedEntry[]
}

function applyOne(
  sql: Sql,
  nowMs: number,
  commit: AccountCommit,
  placed: OwnPlaced,
): {
  readonly result: AccountCommitResult
  readonly told: readonly StoreChanged[]
  readonly freed: readonly BlobRef[]
} {
  const nothing = { told: [], freed: [] }
  try {
    const work = workOf(sql, commit, nowMs)
    if (
      (commit.deliveryId !== undefined && isDuplicate(work, commit.deliveryId)) ||
      (commit.notice !== undefined && !takeNotice(work, commit.notice)) ||
      (commit.event !== undefined && !takeEvent(work, commit.event))
    )
      return { result: { kind: 'duplicate' }, ...nothing }
    // What arrives, what we ourselves write and what scripts do is no event (RFC 6785 §2.2.3): so none goes round.
    work.isTold =
      commit.deliveryId === undefined && commit.notice === undefined && commit.event === undefined
    const before = usedBy(work)
    limitMailboxes(work, commit)
    const done = remember(work, commit.memories ?? [])
    const results = commit.changes.map((change): ChangeResult => {
      permit(work, change)
      if (change.kind === 'append' && change.once !== undefined && done.has(change.once))
        return { kind: 'done' }
      return applyChange(work, change, placed)
    })
    addOutbox(work, placed.entries, done)
    noteJunk(work, commit, results)
    noteEvents(work, commit.changes, results)
    // A notice is not asked by the quota that it tells of.
    const notice =
      commit.notice === undefined && commit.quota !== undefined
        ? askQuota(work, before, { ...commit.quota, brings: brings(commit) })
        : undefined
    for (const changed of [work, ...work.others]) saveAccount(changed)
    return {
      result: { kind: 'committed', results, ...(notice !== undefined && { notice }) },
      told: [work, ...work.others].flatMap(toldOf),
      freed: work.files,
    }
  } catch (thrown) {
    if (thrown instanceof Refusal)
      return { result: { kind: 'refused', refusal: thrown.refusal }, ...nothing }
    throw thrown
  }
}

/** The account's work on behalf of who commits; strangers make no account. */
function workOf(sql: Sql, commit: AccountCommit, nowMs: number): AccountWork {
  const stranger = strangerOf(commit)
  if (stranger === undefined) return openAccount(sql, commit.accountId, nowMs)
  const work = findAccount(sql, commit.accountId, nowMs)
  if (work === undefined) throw new Refusal('noMailbox', 'No such mailbox')
  work.by = stranger
  return work
}

/** Mail that comes is filed where its receiver's script says. */
function limitMailboxes(work: AccountWork, { quota, deliveryId }: AccountCommit): void {
  const mailboxes = quota?.mailboxes ?? 0
  if (mailboxes > 0 && deliveryId === undefined) work.mailboxesMax = mailboxes
}

/** What comes back (`restore`) was the account's own. */
const brings = ({ changes }: AccountCommit): boolean =>
  changes.some(
    (change) =>
      change.kind === 'append' ||
      change.kind === 'copy' ||
      (change.kind === 'move' && change.fromAccount !== undefined),
  )

export const toldOf = (work: AccountWork): StoreChanged[] => [
  ...Array.from(work.touched, ([mid, modSeq]) => ({
    accountId: work.accountId,
    mailboxId: mailboxIdOf(work.tag, mid),
    highestModSeq: modSeqOf(modSeq),
    ...(work.touchedRights.size > 0 && { rights: [...work.touchedRights] }),
  })),
  ...(work.touchedObjects.size === 0
    ? []
    : [{ accountId: work.accountId, objects: [...work.touchedObjects] }]),
  ...(work.hasNewNames === true ? [{ accountId: work.accountId, names: true } as const] : []),
  ...(work.events === undefined ? [] : [{ accountId: work.accountId, events: work.events }]),
  ...(work.hasReports === true ? [{ accountId: work.accountId, hasReports: true } as const] : []),
]

/** Notes the delivery; true where it was made already (DESIGN section 7.10: by id, never by content). */
const isDuplicate = (work: AccountWork, deliveryId: string): boolean =>
  work.sql.run(
    'INSERT INTO dup VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    work.aid,
    deliveryId,
    work.nowMs,
  ) === 0

function applyChange(work: AccountWork, change: MailboxChange, placed: OwnPlaced): ChangeResult {
  switch (change.kind) {
    case 'append': {
      const content = placed.contents[change.content]
      if (content === undefined) throw new RangeError(`no content ${change.content}`)
      return append(work, change, content)
    }
    case 'setFlags':
      return setFlags(work, mailboxOf(work, change.mailboxId), change)
    case 'expunge':
      return expunge(work, mailboxOf(work, change.mailboxId), change)
    case 'copy':
    case 'move': {
      if (isAcross(work, change))
        return copyAcross(work, change, placed.threadKeys.get(change.from) ?? new Map())
      const transfer = change.kind === 'copy' ? copyMessages : moveMessages
      return transfer(work, mailboxOf(work, change.from), resolveMailbox(work, change.to), change)
    }
    case 'claimRecent':
      claimRecent(work, mailboxOf(work, change.mailboxId), change.before)
      return { kind: 'done' }
    case 'create':
      return mailboxResult(work, createMailbox(work, change.path, change.use))
    case 'rename':
      return mailboxResult(work, renameMailbox(work, change))
    case 'delete':
      deleteMailbox(work, change.mailboxId)
      return { kind: 'done' }
    case 'subscribe':
      if (work.by === undefined) subscribe(work, change.path, change.on)
      else {
        const reader = openAccount(work.sql, work.by, work.nowMs)
        subscribeReader(work, reader, change)
        work.others.push(reader)
      }
      return { kind: 'done' }
    case 'grant': {
      const { row, granted } = grantIn(work, change)
      return { kind: 'mailbox', mailbox: mailboxRow(work, row), granted }
    }
    case 'retain':
      return mailboxResult(work, retain(work, change.mailboxId, change.retention))
    case 'restore':
      return restore(work, change)
    case 'number':
      return mailboxResult(work, number(work, mailboxOf(work, change.mailboxId), change))
    case 'describe':
      return mailboxResult(work, describeMailbox(work, change))
    case 'keep':
      keepObject(work, change)
      return { kind: 'done' }
    case 'forget':
      forgetObject(work, change)
      return { kind: 'done' }
    case 'withdraw':
      withdrawEntry(work, change.entry)
      return { kind: 'done' }
    default:
      return assertNever(change)
  }
}

const mailboxResult = (work: AccountWork, row: Mailbox): ChangeResult => ({
  kind: 'mailbox',
  mailbox: mailboxRow(work, row),
})
