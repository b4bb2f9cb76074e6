import type { AccountId } from './account.ts'
import type { Address } from './address.ts'
import type { ListAudience, ListLeaving, ListPosting, ListSubscription } from './list-words.ts'
import type { Day } from './person-facts.ts'

/** A mailing list: an address whose posts go to members, who are persons first and addresses last. */
export interface MailingList extends ListRules {
  /**
   * Immutable, never reused. In the mail store the list owns mailboxes under this id, as an account
   * does: its archive, and what waits for a decision.
   */
  readonly id: AccountId
  /** What it is called by; its posts are sent as from there. */
  readonly address: Address
  /** Further addresses under which it takes posts. */
  readonly addresses: readonly Address[]
  /** One line, for people. */
  readonly name?: string
  readonly description?: string
  /** They settle everything about it but its address. */
  readonly owners: readonly AccountId[]
  /** They decide about what waits, and nothing else. */
  readonly moderators: readonly ListModerator[]
  /** They may send as from its address, be they in it or not; absent: nobody may. */
  readonly senders?: readonly AccountId[]
  /** It takes no posts any more; its archive stays. */
  readonly isClosed?: true
  /** When it was deleted, in ISO 8601 and UTC; it can be had back for as long as a deleted account. */
  readonly deletedAt?: string
  /** Who had left before this moment is not kept any more (ISO 8601, UTC); absent: all is known. */
  readonly historyFrom?: string
}

export interface ListModerator {
  readonly account: AccountId
  /** A deputy's last day. */
  readonly until?: Day
}

/** How a list goes about its posts and its members. */
export interface ListRules {
  readonly posting: ListPosting
  /** What becomes of a post by who may not post: it waits for a moderator, or is refused. */
  readonly others: 'hold' | 'refuse'
  readonly subscription: ListSubscription
  /** Absent: members may go by themselves. */
  readonly leaving?: ListLeaving
  /** Put before the subject; `%n` is the number of the post. `[seminar:%n]` */
  readonly subjectTag?: string
  /** The number of the first post, where another system counted before. */
  readonly numberFrom?: number
  /** Who may read what was posted; `none`: nothing is kept. */
  readonly archive: ListAudience
  /** Posts older than this leave the archive; absent: none does. */
  readonly retainDays?: number
  /** Who may see who is in it. */
  readonly roster: 'owners' | 'members'
  readonly replyTo: 'author' | 'list'
  /** How often those who take digests get one; absent: each day. */
  readonly digest?: 'day' | 'week'
  /** Octets of a post at most; larger ones are refused. */
  readonly sizeMaxBytes?: number
  readonly attachments: 'keep' | 'remove' | 'refuse'
  /** Who posts to more than so many confirms that it is meant. */
  readonly warnAbove?: number
  /** So long a post waits, to be taken back by its author. */
  readonly withdrawSeconds?: number
  /** Of what the list itself says. */
  readonly language: 'ja' | 'en'
}

/** As a list is where nobody has said anything. */
export const LIST_RULES: ListRules = {
  posting: 'members',
  others: 'hold',
  subscription: 'closed',
  archive: 'members',
  roster: 'members',
  replyTo: 'author',
  attachments: 'keep',
  language: 'ja',
}

/**
 * What mail to an address of a list is about. Beside the list's own address stand these, before any
 * detail: `seminar-owner@`, `seminar-bounces+4f2a@`. `-request` is RFC 2142 §6; all are as
 * other list managers have them, so that nobody's address book goes wrong.
 */
export const LIST_PURPOSES = [
  'owner', // its owners
  'request', // commands
  'bounces', // what comes back of a post
  'confirm', // an answer to a question of ours
  'join',
  'leave',
] as const
export type ListPurpose = 'post' | (typeof LIST_PURPOSES)[number]

/** A list as an address names it. */
export interface NamedList {
  readonly list: MailingList
  readonly purpose: ListPurpose
}

/** The address of a list for something else than posts. */
export const purposeAddress = ({ localpart, domain }: Address, purpose: ListPurpose): Address => ({
  localpart: purpose === 'post' ? localpart : `${localpart}-${purpose}`,
  domain,
})

/** All addresses that are the list's, those of its purposes too. */
export function addressesOfList({
  address,
  addresses,
}: Pick<MailingList, 'address' | 'addresses'>): readonly {
  readonly address: Address
  readonly purpose: ListPurpose
}[] {
  const purposes: readonly ListPurpose[] = ['post', ...LIST_PURPOSES]
  return [address, ...addresses].flatMap((each) =>
    purposes.map((purpose) => ({ address: purposeAddress(each, purpose), purpose })),
  )
}

/** Whether somebody may write in the list's name. */
export const maySendAsList = (list: MailingList, account: AccountId): boolean =>
  list.deletedAt === undefined && list.senders?.includes(account) === true

export function isOwner(list: MailingList, account: AccountId): boolean {
  return list.owners.includes(account)
}

/** Whether somebody decides about what waits, on this day. */
export function mayModerate(list: MailingList, account: AccountId, today: Day): boolean {
  return (
    isOwner(list, account) ||
    list.moderators.some(
      ({ account: each, until }) => each === account && (until === undefined || until >= today),
    )
  )
}

/** Fields that lists alone have (RFC 2369, RFC 2919, RFC 8058), in small letters. */
export const LIST_FIELDS = [
  'list-id',
  'list-help',
  'list-unsubscribe',
  'list-unsubscribe-post',
  'list-subscribe',
  'list-post',
  'list-owner',
  'list-archive',
] as const
