import type { AccountId } from '#model/account.ts'
import { ALL_RIGHTS, ANYONE, hasRight, rightsFrom } from '#model/acl.ts'
import type { AclEntry, Right, Rights } from '#model/acl.ts'
import { Refusal } from './refusal.ts'
import type { Sql } from './sql.ts'

/** Whose mailboxes, and who asks: absent, or the owner itself, may do everything. */
export interface Asked {
  readonly accountId: AccountId
  readonly by?: AccountId
}

/** Who asks, where that is not the owner. */
export const strangerOf = ({ accountId, by }: Asked): AccountId | undefined =>
  by === accountId ? undefined : by

interface Place {
  readonly sql: Sql
  readonly aid: number
}

export const aclOf = ({ sql, aid }: Place, mid: number): AclEntry[] =>
  sql
    .all<[AclEntry['who'], Rights]>(
      'SELECT who, rights FROM acl WHERE aid = ? AND mid = ? ORDER BY who',
      aid,
      mid,
    )
    .map(([who, rights]) => ({ who, rights }))

/** Without `by` those of the owner. */
export function rightsIn({ sql, aid }: Place, mid: number, by: AccountId | undefined): Rights {
  if (by === undefined) return ALL_RIGHTS
  const rows = sql.all<[AclEntry['who'], Rights]>(
    'SELECT who, rights FROM acl WHERE aid = ? AND mid = ? AND who IN (?, ?, ?, ?)',
    aid,
    mid,
    by,
    ANYONE,
    `-${by}`,
    `-${ANYONE}`,
  )
  return rightsFrom(
    rows.map(([who, rights]) => ({ who, rights })),
    by,
  )
}

/**
 * Throws Refusal `noPermission` without one of the rights; who may not look the mailbox up is told
 * nothing of it (RFC 4314 §6), not even that it is there: `noMailbox`.
 */
export function requireRights(
  place: Place & { readonly by?: AccountId | undefined },
  mid: number,
  rights: readonly Right[],
): void {
  const held = rightsIn(place, mid, place.by)
  if (rights.every((right) => hasRight(held, right))) return
  throw hasRight(held, 'l')
    ? new Refusal('noPermission', 'The owner of the mailbox does not let you do that')
    : new Refusal('noMailbox', 'No such mailbox')
}

/** Mailboxes that another than the owner may look up and read, with all that they may do there. */
export const readableBy = (place: Place, by: AccountId): ReadonlyMap<number, Rights> =>
  new Map(
    place.sql
      .all<[number]>(
        'SELECT DISTINCT mid FROM acl WHERE aid = ? AND who IN (?, ?)',
        place.aid,
        by,
        ANYONE,
      )
      .map(([mid]) => [mid, rightsIn(place, mid, by)] as const)
      .filter(([, rights]) => hasRight(rights, 'l') && hasRight(rights, 'r')),
  )

/** Owners who let the account see something of theirs, by id. */
export const ownersFor = (sql: Sql, by: AccountId): AccountId[] =>
  sql
    .all<[AccountId]>(
      `SELECT DISTINCT a.id FROM acl x INDEXED BY acl_who CROSS JOIN account a ON a.aid = x.aid
       WHERE x.who IN (?1, ?2) AND a.id <> ?1 AND a.removed_at IS NULL ORDER BY a.id`,
      by,
      ANYONE,
    )
    .map(([id]) => id)
