import type { Clock } from '#base/time.ts'
import { Turns } from '#base/turns.ts'
import { formatAddress } from '#model/address.ts'
import type { Signer } from '#engine/sender/signer.ts'
import type { EventSink } from '#model/event.ts'
import { formatNextHop } from '#model/route.ts'
import type { Directory } from '#store/directory/directory.ts'
import type {
  Accept,
  QueueMessage,
  QueueRecipient,
  RecipientPlace,
  Settlement,
  SpoolStore,
} from '#store/spool/spool-store.ts'
import { endOf } from './attempt.ts'
import type { Attempt } from './attempt.ts'
import type { Load } from './hop-lanes.ts'
import { reportOf, senderText } from './report.ts'
import type { Reported } from './report.ts'
import type { Done } from './settler.ts'

/** What of the settings the courier follows; read anew for each attempt. */
export interface CourierSettings {
  /** Waits between attempts; the last one repeats. */
  readonly retryMs: readonly number[]
  readonly delayNoticeMs: number
  readonly lifetimeMs: number
}

export interface ConcludeOptions {
  readonly spool: Pick<SpoolStore, 'read'>
  readonly directory: Directory
  readonly signer: Signer
  readonly clock: Clock
  readonly events: EventSink
  /** Our name in reports. */
  readonly hostname: string
  readonly settings: () => CourierSettings
}

/** Turns the replies of an attempt into what is to be settled, with its reports; tells it to events. */
export async function conclude(
  load: Load,
  attempt: Attempt,
  options: ConcludeOptions,
): Promise<Done> {
  const { message, recipients } = load
  const nowMs = options.clock.nowMs()
  const settings = options.settings()
  const settlements: Settlement[] = []
  const reports: Reported[] = []
  const waiting: RecipientPlace[] = []
  const turns = new Turns()
  for (const [at, recipient] of recipients.entries()) {
    if (turns.isOver) await turns.next()
    const result = attempt.results[at]
    if (result === undefined) continue
    const end = endOf(message, recipient, { result, attempt, nowMs, ...settings })
    settlements.push({ queueId: message.queueId, index: recipient.index, ...end.settlement })
    if (end.own === true && load.hop.kind === 'local')
      waiting.push({ queueId: message.queueId, index: recipient.index })
    if (end.report !== undefined) reports.push(end.report)
    tell(options, message, {
      kind: end.settlement.kind,
      recipient,
      nextHop: formatNextHop(load.hop),
      status: end.settlement.status,
      ...(attempt.peer === undefined ? {} : { peer: attempt.peer }),
    })
  }
  return { settlements, dsns: await reportsOf(message, reports, options), waiting }
}

/** Recipients whose route holds mail: people decide. */
export function concludeHeld(
  message: QueueMessage,
  held: readonly QueueRecipient[],
  options: ConcludeOptions,
): Done {
  for (const recipient of held) tell(options, message, { kind: 'held', recipient, nextHop: 'hold' })
  const settlements = held.map(({ index }) => ({
    queueId: message.queueId,
    index,
    kind: 'held' as const,
    reason: 'its route holds mail: watari route ls',
  }))
  return { settlements, dsns: [] }
}

/** What had not begun when the courier stopped: due at once, as if it had never been claimed. */
export function giveBack({ message, recipients }: Load, nowMs: number): Done {
  const settlements = recipients.map((recipient) => ({
    queueId: message.queueId,
    index: recipient.index,
    kind: 'deferred' as const,
    status: recipient.lastStatus ?? 'not tried yet',
    nextAttemptMs: nowMs,
    delayNotified: recipient.delayNotified,
  }))
  return { settlements, dsns: [] }
}

/** One report for each thing that happened. */
async function reportsOf(
  message: QueueMessage,
  reports: readonly Reported[],
  options: ConcludeOptions,
): Promise<Accept[]> {
  const { spool, signer, directory, hostname, clock, events } = options
  const dsns: Accept[] = []
  for (const action of new Set(reports.map((report) => report.action))) {
    const some = reports.filter((report) => report.action === action)
    const nowMs = clock.nowMs()
    const { lifetimeMs } = options.settings()
    const about = { spool, signer, directory, hostname, nowMs, lifetimeMs }
    const accept = await reportOf(message, some, about)
    events.emit({
      atMs: nowMs,
      name: 'queue.dsn',
      deliveryId: message.deliveryId,
      fields: {
        queueId: message.queueId,
        action,
        to: senderText(message),
        recipients: some.length,
        sent: accept !== undefined,
        dsn: accept?.deliveryId ?? null,
      },
    })
    if (accept !== undefined) dsns.push(accept)
  }
  return dsns
}

function tell(
  { events, clock }: ConcludeOptions,
  message: QueueMessage,
  seen: {
    readonly kind: Settlement['kind']
    readonly recipient: QueueRecipient
    readonly nextHop: string
    readonly status?: string
    readonly peer?: string
  },
): void {
  events.emit({
    atMs: clock.nowMs(),
    name: `queue.${seen.kind}`,
    deliveryId: message.deliveryId,
    fields: {
      queueId: message.queueId,
      recipient: formatAddress(seen.recipient.address),
      nextHop: seen.nextHop,
      status: seen.status ?? null,
      peer: seen.peer ?? null,
    },
  })
}
