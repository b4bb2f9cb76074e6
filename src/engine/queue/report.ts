import { timedId } from '#base/id.ts'
import { emptyOctets, isAscii } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import { headerOf, renderDsn } from '#codec/dsn/render.ts'
import type { DsnAction, DsnRecipient } from '#codec/dsn/render.ts'
import { verpAddress } from '#engine/list/verp.ts'
import { SignedOctets } from '#engine/receive/signed-octets.ts'
import type { Signer } from '#engine/sender/signer.ts'
import { formatAddress, needsSmtpUtf8 } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { DeliveryId } from '#model/envelope.ts'
import { convert } from '#engine/route/convert.ts'
import type { Directory } from '#store/directory/directory.ts'
import type { Accept, QueueMessage, QueueRecipient, SpoolStore } from '#store/spool/spool-store.ts'

/** One recipient to report on. */
export interface Reported {
  readonly recipient: QueueRecipient
  readonly action: DsnAction
  /** `5.1.1` */
  readonly status: string
  readonly text: string
  readonly peer?: string
}

export interface ReportOptions {
  readonly hostname: string
  readonly directory: Directory
  readonly spool: Pick<SpoolStore, 'read'>
  readonly signer: Signer
  readonly nowMs: number
  readonly lifetimeMs: number
}

/** A whole message comes back only up to this size, whatever RET says (RFC 3461 §6.3). */
const WHOLE_BYTES_MAX = 256 * 1024
const HEADER_BYTES_MAX = 64 * 1024

/** Whether the sender wants to hear of it (RFC 3461 §4.1); without NOTIFY of failure and delay. */
export function wanted(recipient: QueueRecipient, action: DsnAction): boolean {
  const event = action === 'failed' ? 'failure' : action === 'delayed' ? 'delay' : 'success'
  return recipient.notify === undefined ? event !== 'success' : recipient.notify.includes(event)
}

/** The report as a message for the queue; undefined where there is nobody whom it may be sent to. */
export async function reportOf(
  message: QueueMessage,
  reported: readonly Reported[],
  options: ReportOptions,
): Promise<Accept | undefined> {
  const to = reportedTo(message)
  const first = reported[0]
  if (to === null || first === undefined) return undefined // RFC 5321 §6.1: no report of a report
  const converted = convert(to, options.directory)
  if (!converted.ok) return undefined
  const targets = converted.value.targets.filter((target) => target.class !== 'unknown')
  if (targets.length === 0) return undefined
  const { nowMs, hostname } = options
  const id = timedId(nowMs)
  const octets = renderDsn({
    action: first.action,
    reportingMta: hostname,
    to,
    ...(message.envid === undefined ? {} : { envid: message.envid }),
    arrivedAtMs: message.receivedAtMs,
    nowMs,
    id,
    recipients: reported.map((one) => dsnRecipient(message, one)),
    about: await aboutOf(message, first.action, options.spool),
  })
  return {
    deliveryId: id as DeliveryId,
    door: 'dsn',
    reversePath: null,
    recipients: targets.map(({ address }) => ({ address, notify: [] })),
    body: isAscii(octets) ? '7bit' : '8bitmime',
    smtpUtf8: needsSmtpUtf8(to),
    receivedAtMs: nowMs,
    expiresAtMs: nowMs + options.lifetimeMs,
    content: { octets: [await signatureOf(octets, id, options.signer), octets] },
  }
}

/** A report leaves without one rather than not at all. */
function signatureOf(octets: Octets, id: string, signer: Signer): Promise<Octets> {
  const signed = new SignedOctets(signer)
  signed.feed(octets)
  return signed.finish(id, 'unsigned')
}

function dsnRecipient(message: QueueMessage, one: Reported): DsnRecipient {
  const { recipient } = one
  return {
    address: recipient.address,
    ...(recipient.original === undefined ? {} : { original: recipient.original }),
    action: one.action,
    status: one.status,
    diagnostic: one.text,
    ...(one.peer === undefined ? {} : { remoteMta: one.peer }),
    ...(one.action === 'delayed' ? { willRetryUntilMs: message.expiresAtMs } : {}),
  }
}

/** RFC 3461 §5.2: the whole message only of a failure, and only where RET=FULL asks for it. */
async function aboutOf(
  message: QueueMessage,
  action: DsnAction,
  spool: Pick<SpoolStore, 'read'>,
): Promise<Parameters<typeof renderDsn>[0]['about']> {
  const whole =
    action === 'failed' && message.ret === 'full' && message.sizeBytes <= WHOLE_BYTES_MAX
  const length = Math.min(message.sizeBytes, whole ? WHOLE_BYTES_MAX : HEADER_BYTES_MAX)
  let octets: Octets
  try {
    octets = (await spool.read({ queueId: message.queueId, offset: 0, length })).octets
  } catch (thrown) {
    if (!isFault(thrown)) throw thrown
    return { kind: 'header', octets: emptyOctets } // the report matters more than what it encloses
  }
  return whole ? { kind: 'whole', octets } : { kind: 'header', octets: headerOf(octets) }
}

/** Of one mail to many, an address that nobody else knows: what it is told of its recipients is believed. */
const reportedTo = ({ reversePath, verp }: QueueMessage): Address | null =>
  reversePath === null || verp === undefined ? reversePath : verpAddress(reversePath, verp)

/** The sender of a message for logs; `<>` for the null reverse-path. */
export const senderText = (message: QueueMessage): string =>
  message.reversePath === null ? '<>' : formatAddress(message.reversePath)
