import type { z } from 'zod'
import type { userChange } from '#contract/admin/directory.ts'
import type { Account } from '#model/account.ts'
import { quotaOf } from '#model/quota.ts'
import type { OwnQuota, WholeQuota } from '#model/quota.ts'
import type { AdminDeps } from './context.ts'

type Change = NonNullable<z.infer<typeof userChange>['quota']>

/** A row's own limits, as a property of the row: none where nothing is said of either. */
export function withQuota(before: OwnQuota | undefined, change: Change = {}): { quota?: OwnQuota } {
  const after = (kind: keyof WholeQuota): OwnQuota => {
    const limit = change[kind] === undefined ? before?.[kind] : (change[kind] ?? undefined)
    return limit === undefined ? {} : { [kind]: limit }
  }
  const quota = { ...after('bytes'), ...after('messages'), ...after('mailboxes') }
  return Object.keys(quota).length === 0 ? {} : { quota }
}

/** What the account may hold, after its domain and the settings. */
export const effectiveQuota = (
  { directory, settings }: Pick<AdminDeps, 'directory' | 'settings'>,
  account: Account,
): WholeQuota =>
  quotaOf(account, directory.directory.domain(account.domain), {
    bytes: settings.settings['mailbox.quotaBytes'],
    messages: settings.settings['mailbox.quotaMessages'],
    mailboxes: settings.settings['mailbox.mailboxesMax'],
  })
