import type { Account } from './account.ts'
import type { DirectorySource, Origin } from './source.ts'

/**
 * The account with a password of its own for good, in the place of what its source answers to binds: from
 * then on the source is not asked, and can be removed.
 */
export function adopt(
  { bind, ...account }: Account,
  secrets: Pick<Account, 'credential' | 'scram'>,
): Account {
  const origins = account.origins?.map((origin) =>
    isSameEntry(origin, bind) ? { ...origin, isAdopted: true as const } : origin,
  )
  return { ...account, ...secrets, ...(origins !== undefined && { origins }) }
}

/** Whether a password that is right at the account's source is to be kept here for good. */
export const isToAdopt = (
  { credential, bind }: Account,
  sourceOf: (name: string) => DirectorySource | undefined,
): boolean =>
  credential === undefined && bind !== undefined && sourceOf(bind.source)?.adoptPasswords === true

export const isSameEntry = (
  a: Pick<Origin, 'source' | 'key'>,
  b: Pick<Origin, 'source' | 'key'> | undefined,
): boolean => a.source === b?.source && a.key === b.key
