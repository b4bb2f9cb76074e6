/** What an account may hold; 0 of either: as much as it likes. */
export interface Quota {
  readonly bytes: number
  readonly messages: number
}

/** What an account is asked by, and at which share of it its owner is warned. */
export interface QuotaRule extends Quota {
  readonly warnPercent: number
  /** As of a `WholeQuota`; absent: 0. */
  readonly mailboxes?: number
}

/** And how many mailboxes its people may make of it; 0: as many as an account can have. */
export interface WholeQuota extends Quota {
  readonly mailboxes: number
}

/** What is said of an account or a domain itself: absent, the next wider place decides. */
export type OwnQuota = Partial<WholeQuota>

/** What another system tells of the limits, which knows none of mailboxes: that one is kept. */
export function quotaBeside(
  before: { readonly quota?: OwnQuota } | undefined,
  told: OwnQuota | undefined,
): OwnQuota | undefined {
  const mailboxes = before?.quota?.mailboxes
  return mailboxes === undefined ? told : { ...told, mailboxes }
}

export interface Usage {
  readonly bytes: number
  readonly messages: number
}

export const NO_QUOTA: Quota = { bytes: 0, messages: 0 }

/** The account's own limit, else that of its domain, else the installation's; each by itself. */
export function quotaOf(
  account: { readonly quota?: OwnQuota } | undefined,
  domain: { readonly quota?: OwnQuota } | undefined,
  defaults: WholeQuota,
): WholeQuota {
  const { bytes, messages, mailboxes } = { ...defaults, ...domain?.quota, ...account?.quota }
  return { bytes, messages, mailboxes }
}

/** Nothing is limited, and nobody is warned. */
export const NO_RULE: QuotaRule = { ...NO_QUOTA, warnPercent: 100 }

export const isLimited = ({ bytes, messages }: Quota): boolean => bytes > 0 || messages > 0

/** How much of the fuller one of the two limits is used; 0 where there is none. */
export const shareOf = (used: Usage, quota: Quota): number =>
  Math.max(
    quota.bytes === 0 ? 0 : used.bytes / quota.bytes,
    quota.messages === 0 ? 0 : used.messages / quota.messages,
  )

/** Whether so much more would pass a limit. */
export const isOver = (used: Usage, more: Usage, quota: Quota): boolean =>
  (quota.bytes > 0 && used.bytes + more.bytes > quota.bytes) ||
  (quota.messages > 0 && used.messages + more.messages > quota.messages)
