import { fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { isShared } from '#server/jmap/room.ts'
import type { Call } from '#server/jmap/room.ts'

/** A text has one, whichever scripts it is of: what an id names never changes (RFC 8620 §6). */
export const scriptBlobId = (digest: string): string => `S${digest}`

/** The text that a blob id names; undefined where no script of the account has it now. */
export async function scriptOctets(call: Call, blobId: string): Promise<Octets | undefined> {
  // They are nobody else's affair, whatever mailboxes are shared.
  if (isShared(call)) return undefined
  const { store } = call.room
  const accountId = call.account.id
  const named = async (): Promise<string | undefined> =>
    (await store.scripts({ accountId })).scripts.find(
      ({ digest }) => scriptBlobId(digest) === blobId,
    )?.name
  const name = await named()
  if (name === undefined) return undefined
  const { script } = await store.script({ accountId, name })
  // Changed while it was read: it is what was asked for no more.
  return script === undefined || (await named()) !== name ? undefined : fromUtf8(script.text)
}
