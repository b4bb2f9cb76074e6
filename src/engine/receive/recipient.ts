import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { addressKey, equalAddress, formatAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { Door, Recipient } from '#model/envelope.ts'
import type { Reply } from '#model/reply.ts'
import { convert } from '#engine/route/convert.ts'
import type { Directory } from '#store/directory/directory.ts'
import type { QueueRecipientInput } from '#store/spool/spool-store.ts'

/** One destination of a transaction; the same `key` twice is one copy. */
export interface QueueTarget extends QueueRecipientInput {
  readonly key: string
}

/** The destinations of one RCPT, or why this door does not take it. */
export function resolveRecipient(
  recipient: Recipient,
  door: Door,
  directory: Directory,
): Outcome<readonly QueueTarget[], Reply> {
  const shown = formatAddress(recipient.address)
  // Without a copy of the directory nobody is unknown yet.
  if (directory.seq === 0)
    return err({ code: 451, status: '4.3.0', text: 'The directory is not here yet, try later' })
  const converted = convert(recipient.address, directory)
  if (!converted.ok)
    return err({ code: 554, status: '5.4.6', text: `${shown} leads back to itself` })
  const { targets } = converted.value
  const isForeign = targets.some(
    (target) => target.class === 'remote' && equalAddress(target.address, recipient.address),
  )
  if (isForeign && door === 'mx')
    return err({ code: 550, status: '5.7.1', text: `${shown}: this server does not relay` })
  const known = targets.filter((target) => target.class !== 'unknown')
  if (known.length === 0) return err({ code: 550, status: '5.1.1', text: `${shown}: no such user` })
  return ok(known.map((target) => toQueue(recipient, target.address)))
}

function toQueue(recipient: Recipient, address: Address): QueueTarget {
  const isSame = equalAddress(address, recipient.address)
  const original =
    recipient.original ?? (isSame ? undefined : `rfc822;${formatAddress(recipient.address)}`)
  return {
    key: addressKey(address),
    address,
    ...(original === undefined ? {} : { original }),
    ...(recipient.notify === undefined ? {} : { notify: recipient.notify }),
  }
}
