import { messageOf } from '#base/outcome.ts'
import { oneLine } from '#base/text.ts'
import { DAY_MS, HOUR_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'

/** So long expunged mail stays on the disk. */
const EXPUNGED_KEPT_MS = 14 * DAY_MS
/** A start has other things to do first. */
const FIRST_MS = HOUR_MS

/** Purges once a day what was expunged two weeks before. Close it before the store. */
export function purgeDaily(
  mailboxes: Pick<MailboxStore, 'purge'>,
  clock: Clock,
): { close(): void } {
  let isClosed = false
  let cancel = clock.after(FIRST_MS, run)
  function run(): void {
    mailboxes
      .purge({ beforeMs: clock.nowMs() - EXPUNGED_KEPT_MS })
      // A disk that fails or is full says so to deliveries as well; tomorrow is another day.
      .catch((thrown: unknown) =>
        process.stderr.write(`mailboxes.purge: ${oneLine(messageOf(thrown))}\n`),
      )
      .finally(() => {
        if (!isClosed) cancel = clock.after(DAY_MS, run)
      })
  }
  return {
    close: () => {
      isClosed = true
      cancel()
    },
  }
}
