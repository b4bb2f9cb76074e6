import { MINUTE_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { OpenMailboxes } from '#store/mailbox/open.ts'
import { recurring } from './recurring.ts'

const LOOK_EVERY_MS = 1 * MINUTE_MS
/** What has gone gives back its room after so long where no segment was filled meanwhile. */
const EVERY_MS = 10 * MINUTE_MS

/**
 * Compresses what has come once it has filled a segment, and gives back the room of what has gone every
 * ten minutes: a store takes little more than its compressed mail, also while much comes in. Close it
 * before the store.
 */
export function compactOften(
  mailboxes: Pick<OpenMailboxes, 'compact' | 'segment'>,
  clock: Clock,
): { close(): void } {
  let segment = mailboxes.segment
  let atMs = clock.monotonicMs()
  /** The last run has moved something: the next deletes the files that it was in. */
  let hasMoved = false
  return recurring(
    clock,
    { name: 'mailboxes.compact', firstMs: LOOK_EVERY_MS, everyMs: LOOK_EVERY_MS },
    async () => {
      const isDue = clock.monotonicMs() - atMs >= EVERY_MS
      if (!isDue && !hasMoved && mailboxes.segment === segment) return
      segment = mailboxes.segment
      try {
        const { moved, damaged } = await mailboxes.compact()
        hasMoved = moved > 0
        if (damaged > 0)
          process.stderr.write(
            `mailboxes.compact: ${damaged} contents are damaged and cannot be read; all others are whole\n`,
          )
      } finally {
        atMs = clock.monotonicMs()
      }
    },
  )
}
