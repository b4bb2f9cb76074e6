import { MINUTE_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import { recurring } from './recurring.ts'

const EVERY_MS = 10 * MINUTE_MS

/** Compresses what has come, and gives back the room of what has gone, every ten minutes. Close it before the store. */
export const compactOften = (
  mailboxes: Pick<MailboxStore, 'compact'>,
  clock: Clock,
): { close(): void } =>
  recurring(
    clock,
    { name: 'mailboxes.compact', firstMs: EVERY_MS, everyMs: EVERY_MS },
    async () => {
      const { damaged } = await mailboxes.compact()
      if (damaged > 0)
        process.stderr.write(
          `mailboxes.compact: ${damaged} contents are damaged and cannot be read; all others are whole\n`,
        )
    },
  )
