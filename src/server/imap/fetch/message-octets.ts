import type { Octets } from '#base/octets.ts'
import { isFault, isLost } from '#base/outcome.ts'
import type { Uid } from '#model/mailbox.ts'
import type { OctetRange } from '#model/message.ts'
import type { Unread } from '#store/mailbox/message-pieces.ts'
import type { Selected } from '#server/imap/view/selected.ts'
import type { ImapSession } from '#server/imap/session/session.ts'

/** Octets of one read; a body is read in so large pieces, one ahead of the client. */
export const READ_BYTES = 256 * 1024
/** The same where many clients take nothing, of what is no record: that is read whole, with its CRC. */
export const CROWDED_READ_BYTES = 32 * 1024

/** A message of the selected mailbox. */
export interface Of {
  readonly session: ImapSession
  readonly selected: Selected
  readonly uid: Uid
}

/** Octets of the message, prefix included, at most READ_BYTES_MAX; undefined where it is gone. */
export async function readOctets(
  { session, selected, uid }: Of,
  range: OctetRange,
): Promise<Octets | undefined> {
  const { octets } = await session.room.store.read({
    ...selected.view.asked,
    uid,
    ...range,
  })
  return octets
}

/** Why what was thrown leaves a message out; rethrows what concerns more than one. */
export function unreadFor(thrown: unknown): Unread {
  if (!isLost(thrown)) throw thrown
  return isFault(thrown, 'io') ? 'unread' : 'damaged'
}
