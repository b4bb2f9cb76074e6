import { fromLatin1, toUtf8 } from '#base/octets.ts'
import type { Log } from '#base/log.ts'
import { oneLine } from '#base/text.ts'
import type { Clock } from '#base/time.ts'
import type { HeaderField } from '#codec/mime/header.ts'
import { formatAddress } from '#model/address.ts'
import { transmissionType } from '#model/envelope.ts'
import type { DeliveryId, Recipient } from '#model/envelope.ts'
import type { EventSink } from '#model/event.ts'
import type { MailCommand } from '#model/reception.ts'
import type { Reply } from '#model/reply.ts'
import type { Verdict } from '#model/verdict.ts'
import type { QueueId } from '#store/spool/spool-store.ts'
import type { QueueTarget } from './recipient.ts'

export interface Tellers {
  readonly clock: Clock
  readonly log: Log
  readonly events: EventSink
}

/** One transaction with its content on the way. */
export interface Mail {
  readonly command: MailCommand
  readonly id: DeliveryId
  readonly recipients: readonly Recipient[]
  readonly targets: readonly QueueTarget[]
}

/** What became of a message. */
export interface MailEnd {
  readonly reply: Reply
  readonly fields: readonly HeaderField[]
  readonly sizeBytes: number
  readonly verdict?: Verdict
  readonly queued?: { readonly queueId: QueueId; readonly held: boolean }
  /** By what it was signed. */
  readonly signing?: { readonly domain: string; readonly selectors: string }
}

/** Tells what became of the message, for traces. */
export function tellEnd(tellers: Tellers, mail: Mail, end: MailEnd): void {
  const { command, id, recipients, targets } = mail
  const { reply, verdict } = end
  const { clock, events, log } = tellers
  const messageId = end.fields.find((field) => field.key === 'message-id')?.value ?? ''
  const named = addressLists(targets)
  const asked = addressLists(recipients)
  const fields = {
    door: command.door,
    ip: command.peer.ip,
    protocol: transmissionType(command.peer, command.smtpUtf8),
    from: command.reversePath === null ? '<>' : formatAddress(command.reversePath),
    recipients: named[0] ?? '',
    original: asked[0] ?? '',
    messageId: oneLine(toUtf8(fromLatin1(messageId)), 500),
    sizeBytes: end.sizeBytes,
    status: statusOf(reply),
    ...end.queued,
    ...(end.signing &&
      end.queued && { signedBy: `${end.signing.domain} ${end.signing.selectors}` }),
    ...(verdict === undefined
      ? {}
      : {
          class: verdict.class,
          score: verdict.score,
          caseId: verdict.caseId,
          virus: verdict.virus.kind,
          degraded: verdict.degraded.join(','),
          rules: verdict.hits.map((hit) => hit.name).join(','),
          // One for each rule, in their order: what the score is made of.
          scores: verdict.hits.map((hit) => hit.score).join(','),
        }),
  }
  const name = reply.code < 400 ? 'receive.accepted' : 'receive.refused'
  events.emit({ atMs: clock.nowMs(), name, deliveryId: id, fields })
  log.info(name, { deliveryId: id, ...fields })
  for (let i = 1; i < Math.max(named.length, asked.length); i++)
    events.emit({
      atMs: clock.nowMs(),
      name: 'receive.recipients',
      deliveryId: id,
      fields: { recipients: named[i] ?? '', original: asked[i] ?? '' },
    })
}

/** A refusal before there is content, told for traces. */
export function tellRefusal(
  { clock, events }: Pick<Tellers, 'clock' | 'events'>,
  { command, id }: Pick<Mail, 'command' | 'id'>,
  reply: Reply,
  recipients: readonly Recipient[] = [],
): void {
  events.emit({
    atMs: clock.nowMs(),
    name: 'receive.refused',
    deliveryId: id,
    fields: {
      door: command.door,
      ip: command.peer.ip,
      from: command.reversePath === null ? '<>' : formatAddress(command.reversePath),
      recipients: recipients.map(({ address }) => formatAddress(address)).join(','),
      status: statusOf(reply),
    },
  })
}

const statusOf = (reply: Reply): string =>
  oneLine(`${reply.code} ${reply.status ?? ''} ${[reply.text].flat().join(' ')}`)

/** Characters of addresses in one event: a batch of events must fit into one request to control. */
const LIST_LENGTH_MAX = 2_000

/** All addresses, however many, with commas between: a trace starts from any. */
function addressLists(list: readonly Pick<Recipient, 'address'>[]): readonly string[] {
  const lists: string[] = []
  for (const { address } of list) {
    const text = formatAddress(address)
    const last = lists.at(-1)
    if (last === undefined || last.length + text.length >= LIST_LENGTH_MAX) lists.push(text)
    else lists[lists.length - 1] = `${last},${text}`
  }
  return lists
}
