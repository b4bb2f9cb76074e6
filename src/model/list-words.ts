// Words that lists and their pages choose from; it imports nothing, so that a browser can load it.

export const LIST_POSTINGS = [
  'members', // who is a member
  'domain', // whoever has an account here
  'anyone',
  'moderated', // each post waits for a moderator, but for those of owners and moderators
  'announce', // owners and moderators alone
] as const
export type ListPosting = (typeof LIST_POSTINGS)[number]

export const LIST_SUBSCRIPTIONS = [
  'closed', // owners add members
  'domain', // everybody with an account, who shows it by a login, and nobody else
  'confirm', // whoever confirms by mail, and everybody with an account
  'open', // the same
  'approve', // an owner approves
] as const
export type ListSubscription = (typeof LIST_SUBSCRIPTIONS)[number]

/** Who may end a membership, where members do not go by themselves. */
export const LIST_LEAVINGS = ['owners'] as const
export type ListLeaving = (typeof LIST_LEAVINGS)[number]

export const LIST_AUDIENCES = ['none', 'owners', 'members', 'domain', 'public'] as const
export type ListAudience = (typeof LIST_AUDIENCES)[number]

/** How a member gets posts: each by itself, gathered, or not at all. */
export const MEMBER_DELIVERIES = ['each', 'digest', 'none'] as const
export type MemberDelivery = (typeof MEMBER_DELIVERIES)[number]

/** Where a filter is asked, in place of a source's name, which is a word: our own directory, as all sources together make it. */
export const ALL_PEOPLE = '*'

/** Whether what is known of a day or moment may lack who had left: the list knows from a later one on. */
export const isBeforeHistory = (
  on: string | undefined,
  historyFrom: string | undefined,
): historyFrom is string => on !== undefined && historyFrom !== undefined && on < historyFrom
