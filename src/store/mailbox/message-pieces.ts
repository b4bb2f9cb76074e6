import type { Octets } from '#base/octets.ts'
import type { AccountId } from '#model/account.ts'
import type { MailboxId, Uid } from '#model/mailbox.ts'
import type { MailboxStore } from './mailbox-store.ts'

/** Pieces that one question may ask for. */
export const PIECES_MAX = 256

/** Octets of one message, prefix included, from `offset`. */
export interface PieceAsk {
  readonly uid: Uid
  readonly offset: number
  readonly length: number
}

/**
 * Octets of many messages, one behind the other, as parallel arrays in the order in which was asked:
 * a question and its answer cost more than the octets of a small message.
 */
export interface PieceRecords {
  readonly octets: Octets
  /** Where each ends. */
  readonly ends: Uint32Array
  /** What became of each: its place in PIECE_STATES. */
  readonly states: Uint8Array
}

export const PIECE_STATES = [
  'read',
  /** The message was expunged and released. */
  'gone',
  /** What is stored of it fails its CRC. */
  'damaged',
  /** The disk does not give it for now. */
  'unread',
] as const
export type Unread = Exclude<(typeof PIECE_STATES)[number], 'read'>

/**
 * Each piece in order, shorter at the message's end, or why it is not there: one message that cannot
 * be read costs no other. At most PIECES_MAX pieces of READ_BYTES_MAX octets in all a call.
 */
export async function messagePieces(
  store: Pick<MailboxStore, 'pieces'>,
  ask: {
    readonly accountId: AccountId
    readonly by?: AccountId
    readonly mailboxId: MailboxId
    readonly pieces: readonly PieceAsk[]
  },
): Promise<(Octets | Unread)[]> {
  const { pieces, ...of } = ask
  const count = pieces.length
  const uids = new Uint32Array(count)
  const offsets = new Float64Array(count)
  const lengths = new Uint32Array(count)
  for (let i = 0; i < count; i++) {
    const piece = pieces[i]!
    uids[i] = piece.uid
    offsets[i] = piece.offset
    lengths[i] = piece.length
  }
  const { octets, ends, states } = await store.pieces({ ...of, uids, offsets, lengths })
  const found: (Octets | Unread)[] = []
  let from = 0
  for (let i = 0; i < count; i++) {
    const state = PIECE_STATES[states[i]!]!
    found.push(state === 'read' ? octets.subarray(from, ends[i]) : state)
    from = ends[i]!
  }
  return found
}
