import type { z } from 'zod'
import type { userChange } from '#contract/admin/directory.ts'
import type { Account } from '#model/account.ts'
import { quotaOf } from '#model/quota.ts'
import type { OwnQuota, Quota } from '#model/quota.ts'
import type { AdminDeps } from './context.ts'

type Change = NonNullable<z.infer<typeof userChange>['quota']>

/** A row's own limits, as a property of the row: none where nothing is said of either. */
export function withQuota(before: OwnQuota | undefined, change: Change = {}): { quota?: OwnQuota } {
  const bytes = change.bytes === undefined ? before?.bytes : (change.bytes ?? undefined)
  const messages = change.messages === undefined ? before?.messages : (change.messages ?? undefined)
  if (bytes === undefined && messages === undefined) return {}
  return {
    quota: { ...(bytes !== undefined && { bytes }), ...(messages !== undefined && { messages }) },
  }
}

/** What the account may hold, after its domain and the settings. */
export const effectiveQuota = (
  { directory, settings }: Pick<AdminDeps, 'directory' | 'settings'>,
  account: Account,
): Quota =>
  quotaOf(account, directory.directory.domain(account.domain), {
    bytes: settings.settings['mailbox.quotaBytes'],
    messages: settings.settings['mailbox.quotaMessages'],
  })
