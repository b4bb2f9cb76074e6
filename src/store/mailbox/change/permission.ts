import { assertNever } from '#base/outcome.ts'
import type { AccountId } from '#model/account.ts'
import { hasRight } from '#model/acl.ts'
import type { Right, Rights } from '#model/acl.ts'
import { DELETED, SEEN } from '#model/mailbox.ts'
import type { MailboxId, MailboxPath } from '#model/mailbox.ts'
import type { MailboxChange, MailboxRef } from '#store/mailbox/commit.ts'
import { annotationOf, isSharedEntry } from '#store/mailbox/kept-object.ts'
import type { ObjectChange } from '#store/mailbox/kept-object.ts'
import { Refusal } from '#store/mailbox/rows/refusal.ts'
import { requireRights, rightsIn } from '#store/mailbox/rows/rights.ts'
import { mailboxAt } from '#store/mailbox/rows/row.ts'
import { midOf } from '#store/mailbox/rows/work.ts'
import type { AccountWork } from '#store/mailbox/rows/work.ts'
import { storedPath } from './names.ts'

/**
 * Asked before each change, whoever brings it: what RFC 4314 §4 wants of those who are not the owner.
 * Throws Refusal `noPermission`, or `noMailbox` where they may not know of the mailbox.
 */
export function permit(work: AccountWork, change: MailboxChange): void {
  if (work.by === undefined) return
  switch (change.kind) {
    case 'append':
      return requireOf(work, change.mailbox, ['i'])
    case 'setFlags':
      return requireAnyOf(work, change.mailboxId, flagRights(change))
    case 'expunge':
      return requireOf(work, { id: change.mailboxId }, change.deletedOnly ? ['e'] : ['t', 'e'])
    case 'claimRecent':
      return requireOf(work, { id: change.mailboxId }, ['r'])
    case 'copy':
    case 'move':
      if (!isAcross(work, change)) permitTaking(work, change)
      return requireOf(work, change.to, ['i'])
    case 'create':
      return requireAbove(work, storedPath(change.path))
    case 'rename':
      requireOf(work, { id: change.mailboxId }, ['x'])
      return requireAbove(work, storedPath(change.path))
    case 'delete':
      return requireOf(work, { id: change.mailboxId }, ['x'])
    case 'grant':
      return requireOf(work, { id: change.mailboxId }, ['a'])
    // A subscription is of whoever makes it, to what they may look up.
    case 'subscribe':
      return requireOf(work, { path: change.path, create: false }, ['l'])
    // What is the owner's alone: how long mail is kept, what comes back, what is kept beside mail.
    case 'retain':
    case 'restore':
    case 'number':
    case 'describe':
    case 'withdraw':
      throw new Refusal('noPermission', 'Only the owner may do that')
    case 'keep':
    case 'forget':
      return requireNoting(work, change)
    default:
      return assertNever(change)
  }
}

/** What all see of a mailbox is like a flag of it: w (RFC 5464 §3.3 leaves that open). */
function requireNoting(work: AccountWork, { object, id }: ObjectChange): void {
  const { mailboxId, entry } = annotationOf(id)
  if (object !== 'Annotation' || mailboxId === undefined || !isSharedEntry(entry))
    throw new Refusal('noPermission', 'Only the owner may do that')
  requireOf(work, { id: mailboxId }, ['w'])
}

type Transfer = Extract<MailboxChange, { kind: 'copy' | 'move' }>

/** Whether it takes from another account. */
export const isAcross = (
  work: AccountWork,
  change: Transfer,
): change is Transfer & { readonly fromAccount: AccountId } =>
  change.fromAccount !== undefined && change.fromAccount !== work.accountId

/** Of what a copy or a move takes from: RFC 6851 §4.2 wants t and e as well of who moves. */
export const permitTaking = (work: AccountWork, { kind, from }: Transfer): void =>
  requireOf(work, { id: from }, kind === 'move' ? ['r', 't', 'e'] : ['r'])

/** Bits of flags that the rights let one change: others keep what they are (RFC 4314 §4). */
const changeable = (rights: Rights): number =>
  (hasRight(rights, 's') ? SEEN : 0) +
  (hasRight(rights, 't') ? DELETED : 0) +
  (hasRight(rights, 'w') ? 2 ** 32 - 1 - SEEN - DELETED : 0)

export const changeableIn = (work: AccountWork, mid: number): number =>
  changeable(rightsIn(work, mid, work.by))

/** One of these is enough: what it does not cover is left out. */
function flagRights({
  mode,
  flags,
  keywords,
}: Extract<MailboxChange, { kind: 'setFlags' }>): readonly Right[] {
  if (mode === 'replace') return ['s', 't', 'w']
  const others = (flags & 31 & ~SEEN & ~DELETED) !== 0 || keywords.length > 0
  return [
    ...((flags & SEEN) === 0 ? [] : (['s'] as const)),
    ...((flags & DELETED) === 0 ? [] : (['t'] as const)),
    ...(others ? (['w'] as const) : []),
  ]
}

function requireAnyOf(work: AccountWork, id: MailboxId, rights: readonly Right[]): void {
  const mid = requireMid(work, { id })
  const held = rightsIn(work, mid, work.by)
  const [first] = rights
  if (first !== undefined && !rights.some((right) => hasRight(held, right)))
    requireRights(work, mid, [first])
}

const requireOf = (work: AccountWork, ref: MailboxRef, rights: readonly Right[]): void =>
  requireRights(work, requireMid(work, ref), rights)

function requireMid(work: AccountWork, ref: MailboxRef): number {
  const mid = 'id' in ref ? midOf(work.tag, ref.id) : midAt(work, storedPath(ref.path))
  if (mid === undefined) throw new Refusal('noMailbox', 'No such mailbox')
  return mid
}

function midAt(work: AccountWork, path: MailboxPath): number | undefined {
  const found = nearest(work, path)
  return found?.depth === path.length ? found.mid : undefined
}

/** k in the nearest mailbox above that is there (RFC 4314 §4); at the root nobody but the owner has it. */
function requireAbove(work: AccountWork, path: MailboxPath): void {
  const above = nearest(work, path.slice(0, -1))
  if (above === undefined) throw new Refusal('noPermission', 'Only the owner may do that')
  requireRights(work, above.mid, ['k'])
}

/** The mailbox of the path, or the nearest above it that is there, and how deep that lies. */
function nearest(
  work: AccountWork,
  path: MailboxPath,
): { readonly mid: number; readonly depth: number } | undefined {
  let found: { readonly mid: number; readonly depth: number } | undefined
  for (const [index, name] of path.entries()) {
    const row = mailboxAt(work, found?.mid ?? 0, name)
    if (row === undefined) break
    found = { mid: row.mid, depth: index + 1 }
  }
  return found
}
