import { createHash } from 'node:crypto'
import { SECOND_MS } from '#base/time.ts'
import { isAscii } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { decodeWords } from '#codec/mime/encoded-word.ts'
import type { SieveVacation } from '#engine/sieve/action.ts'
import { addressKey, needsSmtpUtf8 } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { Memory, OutboxEntry } from '#store/mailbox/commit.ts'

import { addressedOf, whyUnanswerable } from './answerable.ts'
import { addressesIn, authorOf, automaticMail, threadFields } from './automatic-mail.ts'
import { entryId } from './entry-id.ts'
import type { MailOwner } from './mail-owner.ts'
import type { Delivery } from './delivery.ts'

/** What a delivery sends in its owner's name, and what is remembered of it in the same commit. */
export interface AutomaticAnswer {
  readonly entry: OutboxEntry & { readonly content: Octets }
  readonly memory?: Memory
}

/**
 * The answer to the sender (RFC 5230), or why there is none. It is sent once a sender in the script's
 * time: the commit decides, since the memory lies where the mail does.
 */
export function vacationAnswer(
  vacation: SieveVacation,
  delivery: Delivery,
  owner: MailOwner,
): AutomaticAnswer | string {
  const { deliveryId, recipient, nowMs } = delivery
  const message = { ...delivery.message, ...vacation.header }
  const own = [...owner.addresses, recipient, ...vacation.addresses.flatMap(addressesIn)]
  const why = whyUnanswerable(message, own)
  if (why !== undefined) return why
  const sender = message.envelopeFrom!
  const id = entryId(deliveryId, recipient, 'vacation')
  // What a script claims beside them is whom it listens for, not whom it speaks for.
  const theirs = [...owner.addresses, recipient]
  const from = authorOf(
    vacation.from,
    owner,
    theirs,
    addressedOf(message, theirs) ?? owner.addresses[0] ?? recipient,
  )
  const octets = automaticMail({
    from,
    to: [sender],
    subject:
      vacation.subject === undefined
        ? defaultSubject(message.header('subject')[0])
        : decodeWords(vacation.subject), // some write encoded words, as for other servers
    text: vacation.reason,
    isMime: vacation.isMime,
    autoSubmitted: 'auto-replied', // RFC 3834 §5.1
    fields: threadFields(message),
    id,
    nowMs,
  })
  const key = memoryKey(vacation, sender)
  return {
    entry: {
      id,
      kind: 'vacation',
      reversePath: null, // RFC 3834 §3.3: an answer that cannot be delivered is answered by nobody.
      recipients: [sender],
      dsn: { notify: [] }, // RFC 5230 §5.1
      body: isAscii(octets) ? '7bit' : '8bitmime',
      smtpUtf8: [sender, from.address].some(needsSmtpUtf8),
      content: octets,
      ...(vacation.seconds > 0 && { once: key }),
    },
    ...(vacation.seconds > 0 && {
      memory: { key, untilMs: nowMs + vacation.seconds * SECOND_MS },
    }),
  }
}

/** RFC 5230 §4.4 */
const defaultSubject = (subject: string | undefined): string =>
  subject === undefined || subject.trim() === '' ? 'Automated reply' : `Auto: ${subject}`

/** RFC 5230 §4.2: without a handle the answers are told apart by what they say. */
function memoryKey(vacation: SieveVacation, sender: Address): string {
  const { handle, subject = '', from = '', isMime, reason } = vacation
  const what = handle === undefined ? [subject, from, String(isMime), reason] : [handle]
  const text = JSON.stringify([...what, addressKey(sender)])
  return `vacation:${createHash('sha256').update(text).digest('base64url')}`
}
