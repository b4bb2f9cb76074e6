import type { AccountId } from './account.ts'

/** Letters of RFC 4314 §2.1, each at most once, in the order of `RIGHTS`. */
export type Rights = string & { readonly __brand: 'Rights' }

/**
 * l lookup, r read, s keep \Seen, w write flags, i insert, p post, k create mailboxes below, x delete
 * the mailbox, t set \Deleted, e expunge, a administer. What `p` allows happens outside of mailboxes
 * (RFC 4314 §2.1): it is kept and shown, and nothing asks for it.
 */
const RIGHTS = 'lrswipkxtea'
export type Right = 'l' | 'r' | 's' | 'w' | 'i' | 'p' | 'k' | 'x' | 't' | 'e' | 'a'

export const ALL_RIGHTS = RIGHTS as Rights
export const NO_RIGHTS = '' as Rights

/** Every account of this installation. */
export const ANYONE = 'anyone'
/** An account or everybody; after a minus sign what is taken away from them (RFC 4314 §2). */
export type Grantee = AccountId | typeof ANYONE | `-${string}`

/** Who may do what in one mailbox, beside its owner. */
export interface AclEntry {
  readonly who: Grantee
  readonly rights: Rights
}

/** RFC 4314 §2.1.1: create and delete, as they were before it. */
const VIRTUAL: ReadonlyMap<string, string> = new Map([
  ['c', 'kx'],
  ['d', 'te'],
])

/** What clients and people write, virtual rights too; undefined where a letter is no right. */
export function parseRights(text: string): Rights | undefined {
  let letters = ''
  for (const letter of text) {
    if (!RIGHTS.includes(letter) && !VIRTUAL.has(letter)) return undefined
    letters += VIRTUAL.get(letter) ?? letter
  }
  return rightsOf((right) => letters.includes(right))
}

/** With the virtual rights behind them: c where one of k and x is held, d where one of t and e is. */
export const showRights = (rights: Rights): string =>
  [...VIRTUAL].reduce(
    (shown, [letter, union]) =>
      union.split('').some((right) => rights.includes(right)) ? shown + letter : shown,
    rights as string,
  )

export const hasRight = (rights: Rights, right: Right): boolean => rights.includes(right)

export const withRights = (a: Rights, b: Rights): Rights =>
  rightsOf((right) => a.includes(right) || b.includes(right))

export const withoutRights = (a: Rights, b: Rights): Rights =>
  rightsOf((right) => a.includes(right) && !b.includes(right))

const rightsOf = (isHeld: (right: string) => boolean): Rights =>
  RIGHTS.split('').filter(isHeld).join('') as Rights

/** What the entries give to an account: its own and everybody's, less what is taken away from either. */
export function rightsFrom(entries: readonly AclEntry[], by: AccountId): Rights {
  let given = NO_RIGHTS
  let taken = NO_RIGHTS
  for (const { who, rights } of entries) {
    if (who === by || who === ANYONE) given = withRights(given, rights)
    if (who === `-${by}` || who === `-${ANYONE}`) taken = withRights(taken, rights)
  }
  return withoutRights(given, taken)
}
