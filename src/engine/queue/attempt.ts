import { oneLine } from '#base/text.ts'
import type { RecipientResult } from '#client/smtp/job.ts'
import type { Reply } from '#model/reply.ts'
import type { QueueMessage, QueueRecipient } from '#store/spool/spool-store.ts'
import type { Load } from './hop-lanes.ts'
import { wanted } from './report.ts'
import type { Reported } from './report.ts'
import { nextAttemptMs } from './schedule.ts'

/** What this reply of this attempt makes of the recipient, and what the sender is to hear of it. */
export function endOf(
  message: QueueMessage,
  recipient: QueueRecipient,
  seen: {
    readonly result: RecipientResult
    readonly attempt: Attempt
    readonly nowMs: number
    readonly retryMs: readonly number[]
    readonly delayNoticeMs: number
  },
): {
  readonly settlement: End
  readonly report?: Reported
  /** It waits because of trouble of ours. */
  readonly own?: boolean
} {
  const { attempt, nowMs, retryMs } = seen
  const { reply } = seen.result
  const own = isOwnTrouble(attempt, seen.result)
  const status = statusText(reply)
  const report = (
    action: Reported['action'],
    code: string,
    mustTell = false,
  ): { report?: Reported } =>
    mustTell || wanted(recipient, action)
      ? {
          report: {
            recipient,
            action,
            status: code,
            text: status,
            ...(attempt.peer === undefined ? {} : { peer: attempt.peer }),
          },
        }
      : {}
  if (reply.code < 300) {
    const action = attempt.final ? 'delivered' : 'relayed'
    const mustTell = isRelayTold(message, recipient, seen)
    const told =
      attempt.relayedDsn && !mustTell ? {} : report(action, reply.status ?? '2.0.0', mustTell)
    return { settlement: { kind: 'delivered', status }, ...told }
  }
  if (reply.code >= 500)
    return { settlement: { kind: 'failed', status }, ...report('failed', reply.status ?? '5.0.0') }
  // RFC 3463 §3.5: 4.4.7, the time for delivery has run out
  if (nowMs >= message.expiresAtMs && !own)
    return {
      settlement: { kind: 'failed', status },
      ...report('failed', message.deliverBy?.mode === 'return' ? '5.4.7' : '4.4.7'),
    }
  const { deliverBy } = message
  const isOverTime = deliverBy?.mode === 'notify' && nowMs >= deliverBy.atMs
  const late =
    !recipient.delayNotified && (isOverTime || nowMs - message.receivedAtMs >= seen.delayNoticeMs)
  const next = nextAttemptMs(message, recipient, { nowMs, retryMs, own })
  return {
    settlement: {
      kind: 'deferred',
      status,
      nextAttemptMs: Math.max(next, nowMs + (attempt.notBeforeMs ?? 0)),
      delayNotified: recipient.delayNotified || late,
    },
    own,
    ...(late ? report('delayed', isOverTime ? '4.4.7' : (reply.status ?? '4.0.0')) : {}),
  }
}

/**
 * RFC 2852 §4.1.4: passed on by a host that traces, or in time to one that knows of no time, the sender is told
 * unless of nothing.
 */
function isRelayTold(
  { deliverBy }: QueueMessage,
  { notify }: QueueRecipient,
  { attempt, nowMs }: { readonly attempt: Attempt; readonly nowMs: number },
): boolean {
  if (deliverBy === undefined || attempt.final || notify?.length === 0) return false
  const isUnknown = attempt.relayedBy !== true && deliverBy.mode === 'notify'
  return deliverBy.isTraced || (isUnknown && nowMs < deliverBy.atMs)
}

/**
 * Our own store is away, or says of itself that it cannot (RFC 3463 §3.4: 4.3.X is the mail system's);
 * what it says of a mailbox is the mailbox's.
 */
const isOwnTrouble = (attempt: Attempt, { reply, by }: RecipientResult): boolean =>
  attempt.own && (by === 'self' || (reply.code < 500 && reply.status?.startsWith('4.3.') === true))

type End =
  | { readonly kind: 'delivered' | 'failed'; readonly status: string }
  | {
      readonly kind: 'deferred'
      readonly status: string
      readonly nextAttemptMs: number
      readonly delayNotified: boolean
    }

export interface Attempt {
  /** In the order of the load's recipients. */
  readonly results: readonly RecipientResult[]
  readonly peer?: string
  readonly relayedDsn: boolean
  /** The peer knows until when it is to arrive. */
  readonly relayedBy?: boolean
  /** Temporary trouble that no peer told of is our own: it never becomes a bounce. */
  readonly own: boolean
  /** The peer is a mailbox's own server (LMTP): what it took is delivered, not passed on. */
  readonly final: boolean
  /** The hop is left alone for so long. */
  readonly notBeforeMs?: number
}

export function ownTrouble(load: Load, reply: Reply): Attempt {
  const results = load.recipients.map(() => ({ reply, by: 'self' as const }))
  return { results, own: true, final: false, relayedDsn: false }
}

/** Nobody let us in; our own store's absence is our own trouble. */
export function unreachable(load: Load, text: string): Attempt {
  const reply: Reply = { code: 451, status: '4.4.1', text }
  const own = load.hop.kind === 'local'
  return { ...ownTrouble(load, reply), own }
}

function statusText(reply: Reply): string {
  const text = typeof reply.text === 'string' ? reply.text : reply.text.join(' ')
  return oneLine([reply.code, reply.status, text].filter((part) => part !== undefined).join(' '))
}
