import { crc32 } from 'node:zlib'
import { MINUTE_MS, SECOND_MS } from '#base/time.ts'
import type { QueueMessage, QueueRecipient } from '#store/spool/spool-store.ts'

const JITTER = 0.1
/** Our own store comes back within moments: it is asked soon again, and its absence bounces nothing. */
const LOCAL_RETRY_MS = [1, 2, 5, 10, 30].map((seconds) => seconds * SECOND_MS)
const LAST_TRY_MS_MIN = MINUTE_MS

/**
 * When a deferred recipient is tried next: the back-off list, spread by up to a tenth by the queue
 * id (recipients of one message stay together); the last try falls on the message's expiry.
 */
export function nextAttemptMs(
  message: Pick<QueueMessage, 'queueId' | 'expiresAtMs'>,
  recipient: Pick<QueueRecipient, 'attempts'>,
  when: { readonly nowMs: number; readonly retryMs: readonly number[]; readonly own: boolean },
): number {
  const steps = when.own || when.retryMs.length === 0 ? LOCAL_RETRY_MS : when.retryMs
  const step = steps[Math.min(recipient.attempts, steps.length - 1)]!
  const spread = 1 + JITTER * (crc32(message.queueId) / 2 ** 32)
  const next = when.nowMs + Math.ceil(step * spread)
  if (when.own || next <= message.expiresAtMs) return next
  return Math.max(message.expiresAtMs, when.nowMs + LAST_TRY_MS_MIN)
}

const FIRST_MS = { local: SECOND_MS, remote: 30 * SECOND_MS }
const LONGEST_MS = { local: 5 * SECOND_MS, remote: 10 * MINUTE_MS }

/** How long a host that lets nobody in is left alone after so many failures in a row. */
export const restMs = (failures: number, local: boolean): number => {
  const kind = local ? 'local' : 'remote'
  return Math.min(FIRST_MS[kind] * 2 ** Math.min(failures - 1, 20), LONGEST_MS[kind])
}
