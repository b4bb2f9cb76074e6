/** What an account may hold; 0 of either: as much as it likes. */
export interface Quota {
  readonly bytes: number
  readonly messages: number
}

/** What an account is asked by, and at which share of it its owner is warned. */
export interface QuotaRule extends Quota {
  readonly warnPercent: number
  /** Mailboxes that its people may make; absent or 0: as many as an account can have. */
  readonly mailboxes?: number
}

/** What is said of an account or a domain itself: absent, the next wider place decides. */
export type OwnQuota = Partial<Quota>

export interface Usage {
  readonly bytes: number
  readonly messages: number
}

export const NO_QUOTA: Quota = { bytes: 0, messages: 0 }

/** The account's own limit, else that of its domain, else the installation's; each of the two by itself. */
export function quotaOf(
  account: { readonly quota?: OwnQuota } | undefined,
  domain: { readonly quota?: OwnQuota } | undefined,
  defaults: Quota,
): Quota {
  const own = { ...defaults, ...domain?.quota, ...account?.quota }
  return { bytes: own.bytes, messages: own.messages }
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
