import { setImmediate as turn } from 'node:timers/promises'
import { fromUtf8, toUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import type { AccountId } from '#model/account.ts'
import type { MailboxId, Uid } from '#model/mailbox.ts'
import type { MessageMeta, MimePart } from '#model/message.ts'
import type { MailboxStore } from './mailbox-store.ts'

/**
 * What was parsed of messages, as it is stored: octets pass the pipe as they are and are taken apart
 * where they are used, once. Parallel arrays, in the order in which was asked.
 */
export interface MetaRecords {
  /** All records, one behind the other. */
  readonly octets: Octets
  /**
   * Where each ends. One that ends where it begins is not there: the message is gone. Fewer than were
   * asked for: the others are too much for one answer, and are to be asked for again.
   */
  readonly ends: Uint32Array
  /** Octets in front of the message that its meta does not count. */
  readonly prefixBytes: Uint32Array
}

export interface StoredMeta {
  readonly meta: MessageMeta
  /** Offsets of the meta count from after these. */
  readonly prefixBytes: number
}

/** Messages of one call, and octets of one answer beyond its first record. */
export const METAS_MAX = 1_000
export const METAS_BYTES_MAX = 4 * 1024 * 1024

/** What is taken apart before others get their turn: a mail of 10,000 parts takes about as long alone. */
const TURN_BYTES = 512 * 1024

/**
 * The parsed meta of each UID in order; undefined where it is gone. At most METAS_MAX a call. One at a
 * time is taken apart, and they are read in runs: many mails of 10,000 parts each fill no memory, and
 * others get their turn between them.
 */
export async function* storedMetas(
  store: Pick<MailboxStore, 'metas'>,
  ask: {
    readonly accountId: AccountId
    readonly mailboxId: MailboxId
    readonly uids: readonly Uid[]
  },
): AsyncGenerator<StoredMeta | undefined, void, undefined> {
  let taken = 0
  for (let at = 0; at < ask.uids.length;) {
    const uids = at === 0 ? ask.uids : ask.uids.slice(at)
    const { octets, ends, prefixBytes } = await store.metas({ ...ask, uids })
    for (let index = 0, from = 0; index < ends.length; index++) {
      const to = ends[index]!
      if (from === to) yield undefined
      else {
        taken += to - from
        if (taken > TURN_BYTES) {
          await turn()
          taken = 0
        }
        yield { meta: decodeMeta(octets.subarray(from, to)), prefixBytes: prefixBytes[index]! }
      }
      from = to
    }
    if (ends.length === 0) throw new Fault('corrupt', 'no meta of those that were asked for')
    at += ends.length
  }
}

/** Parts of messages that one who reads many of them holds at a time: each takes about a kilobyte. */
export const PARTS_HELD_MAX = 20_000

/** Parts of a message at all depths, counted up to `max`. */
export function partsIn(root: MimePart, max: number): number {
  const open = [root]
  let parts = 0
  for (let part = open.pop(); part !== undefined && parts < max; part = open.pop()) {
    parts++
    open.push(...part.parts)
    if (part.message !== undefined) open.push(part.message.root)
  }
  return parts
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
