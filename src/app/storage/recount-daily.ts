import { DAY_MS, HOUR_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import type { PurgeTold } from './purge-daily.ts'
import { recurring } from './recurring.ts'

/** Behind the first purge. */
const FIRST_MS = 2 * HOUR_MS

/**
 * Counts all accounts and mailboxes anew once a day: quotas and lists of mailboxes believe the counters. One that
 * was wrong is right again, and somebody should ask why. Close it before the store.
 */
export const recountDaily = (
  mailboxes: Pick<MailboxStore, 'recount'>,
  { clock, tell }: { readonly clock: Clock; readonly tell: (told: PurgeTold) => void },
): { close(): void } =>
  recurring(clock, { name: 'mailboxes.recount', firstMs: FIRST_MS, everyMs: DAY_MS }, async () => {
    const { recounted } = await mailboxes.recount()
    for (const { accountId, bytes, messages, mailboxes } of recounted)
      tell({
        name: 'store.recounted',
        fields: { accountId, bytes, messages, mailboxes: mailboxes.length },
        remedy: 'Nothing is lost, and the counters are right again. Please report it.',
      })
  })
