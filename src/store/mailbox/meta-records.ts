import { fromUtf8, toUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import type { AccountId } from '#model/account.ts'
import type { MailboxId, Uid } from '#model/mailbox.ts'
import type { MessageMeta } from '#model/message.ts'
import type { MailboxStore } from './mailbox-store.ts'

/**
 * What was parsed of messages, as it is stored: octets pass the pipe as they are and are taken apart
 * where they are used, once. Parallel arrays, in the order in which was asked.
 */
export interface MetaRecords {
  /** All records, one behind the other. */
  readonly octets: Octets
  /** Where each ends. One that ends where it begins is not there: the message is gone. */
  readonly ends: Uint32Array
  /** Octets in front of the message that its meta does not count. */
  readonly prefixBytes: Uint32Array
}

export interface StoredMeta {
  readonly meta: MessageMeta
  /** Offsets of the meta count from after these. */
  readonly prefixBytes: number
}

/** The parsed meta of each UID in order; undefined where it is gone. At most 1,000 a call. */
export async function storedMetas(
  store: Pick<MailboxStore, 'metas'>,
  ask: {
    readonly accountId: AccountId
    readonly mailboxId: MailboxId
    readonly uids: readonly Uid[]
  },
): Promise<(StoredMeta | undefined)[]> {
  const { octets, ends, prefixBytes } = await store.metas(ask)
  return ask.uids.map((_, index) => {
    const from = index === 0 ? 0 : ends[index - 1]!
    const to = ends[index]!
    if (from === to) return undefined
    return { meta: decodeMeta(octets.subarray(from, to)), prefixBytes: prefixBytes[index]! }
  })
}

const META_VERSION = 1

/** One octet of version, then JSON. */
export const encodeMeta = (meta: MessageMeta): Octets =>
  Buffer.concat([Buffer.of(META_VERSION), fromUtf8(JSON.stringify(meta))])

/** Throws Fault `version` or `corrupt`. */
export function decodeMeta(octets: Octets): MessageMeta {
  if (octets[0] !== META_VERSION)
    throw new Fault('version', `parsed meta of version ${octets[0]}, this program knows 1`)
  try {
    return JSON.parse(toUtf8(octets.subarray(1))) as MessageMeta
  } catch (cause) {
    throw new Fault('corrupt', 'parsed meta does not decode', { cause })
  }
}
