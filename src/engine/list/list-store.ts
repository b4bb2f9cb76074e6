import { createHash } from 'node:crypto'
import { concatOctets, emptyOctets } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { AccountId } from '#model/account.ts'
import { isSamePath } from '#model/mailbox.ts'
import type { MailboxPath, Uid } from '#model/mailbox.ts'
import { RECORD_BYTES_MAX } from '#store/blob/blobs.ts'
import type { Content } from '#store/blob/blobs.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'
import type { KeptObject, ObjectKind } from '#store/mailbox/kept-object.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import type { MailboxRow } from '#store/mailbox/mailbox-view.ts'
import { storedMetas } from '#store/mailbox/meta-records.ts'
import type { StoredMeta } from '#store/mailbox/meta-records.ts'

import type { Piece } from './attachments.ts'
import { HELD, INCOMING, POSTS } from './incoming.ts'
import { newListKey } from './list-key.ts'

const PIECE_BYTES = 256 * 1024

export type ListMailboxes = Pick<
  MailboxStore,
  | 'mailboxes'
  | 'view'
  | 'read'
  | 'metas'
  | 'objects'
  | 'commit'
  | 'openLarge'
  | 'appendLarge'
  | 'abortLarge'
>

/** A message in a mailbox of a list. */
export interface ListPlace {
  readonly mailbox: MailboxRow
  readonly uid: Uid
}

/** A stretch of a message of a list. */
export interface PlacedPiece {
  readonly place: ListPlace
  readonly offset: number
  readonly length: number
}

/** The mailboxes of one list, and what is kept beside them. */
export class ListStore {
  readonly id: AccountId
  readonly mailboxes: ListMailboxes

  constructor(mailboxes: ListMailboxes, id: AccountId) {
    this.mailboxes = mailboxes
    this.id = id
  }

  /** Those that are there; each is made when something first comes into it. */
  async rows(): Promise<{
    readonly incoming?: MailboxRow
    readonly posts?: MailboxRow
    readonly held?: MailboxRow
  }> {
    const { mailboxes } = await this.mailboxes.mailboxes({ accountId: this.id })
    const at = (path: MailboxPath): MailboxRow | undefined =>
      mailboxes.find((row) => isSamePath(row.path, path))
    const [incoming, posts, held] = [at(INCOMING), at(POSTS), at(HELD)]
    return { ...(incoming && { incoming }), ...(posts && { posts }), ...(held && { held }) }
  }

  async row(path: MailboxPath): Promise<MailboxRow | undefined> {
    const { mailboxes } = await this.mailboxes.mailboxes({ accountId: this.id })
    return mailboxes.find((row) => isSamePath(row.path, path))
  }

  async uids(mailbox: MailboxRow): Promise<readonly Uid[]> {
    const view = await this.mailboxes.view({ accountId: this.id, mailboxId: mailbox.id })
    return view === undefined ? [] : ([...view.uids] as Uid[])
  }

  /** The messages of a mailbox, oldest first, each with what names its thread. */
  async threads(
    mailbox: MailboxRow,
  ): Promise<{ readonly uids: Uint32Array; readonly threads: Float64Array }> {
    const ask = { accountId: this.id, mailboxId: mailbox.id, emails: true }
    const view = await this.mailboxes.view(ask)
    return {
      uids: view?.uids ?? new Uint32Array(),
      threads: view?.emails?.threadNumbers ?? new Float64Array(),
    }
  }

  async objects(
    kind: ObjectKind,
    ids?: readonly string[],
  ): Promise<ReadonlyMap<string, KeptObject>> {
    const ask = { accountId: this.id, kind, ...(ids !== undefined && { ids }) }
    const { objects } = await this.mailboxes.objects(ask)
    return new Map(objects.map((object) => [object.id, object]))
  }

  /** The list's secret, and what makes it where it has none yet. */
  async key(): Promise<{ readonly key: string; readonly changes: readonly MailboxChange[] }> {
    const kept = (await this.objects('ListKey')).get('key')?.value['key']
    if (typeof kept === 'string') return { key: kept, changes: [] }
    const key = newListKey()
    return { key, changes: [{ kind: 'keep', object: 'ListKey', id: 'key', value: { key } }] }
  }

  async meta({ mailbox, uid }: ListPlace): Promise<StoredMeta | undefined> {
    const ask = { accountId: this.id, mailboxId: mailbox.id, uids: [uid] }
    for await (const meta of storedMetas(this.mailboxes, ask)) return meta
    return undefined
  }

  /** Octets from an offset on; fewer at the end of the message. */
  async read(place: ListPlace, offset: number, length: number): Promise<Octets> {
    const pieces: Octets[] = []
    for await (const piece of this.#pieces(place, [{ offset, length }])) pieces.push(piece)
    return concatOctets(pieces)
  }

  /** A new content: what stands in front, then pieces of a message that is here. */
  async copied(head: Octets, place: ListPlace, pieces: readonly Piece[]): Promise<Content> {
    const length = pieces.reduce((sum, piece) => sum + piece.length, head.byteLength)
    if (length <= RECORD_BYTES_MAX) {
      const octets = [head]
      for await (const piece of this.#pieces(place, pieces)) octets.push(piece)
      return { octets }
    }
    const { handle } = await this.mailboxes.openLarge()
    try {
      for await (const octets of this.#pieces(place, pieces))
        await this.mailboxes.appendLarge({ handle, octets })
    } catch (thrown) {
      await this.mailboxes.abortLarge({ handle })
      throw thrown
    }
    return { prefix: head, large: handle }
  }

  /** A new content of octets and of stretches of messages that are here. */
  async composed(pieces: readonly (Octets | PlacedPiece)[]): Promise<Content> {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
    if (length <= RECORD_BYTES_MAX) {
      const octets: Octets[] = []
      for await (const piece of this.#placed(pieces)) octets.push(piece)
      return { octets }
    }
    const { handle } = await this.mailboxes.openLarge()
    try {
      for await (const octets of this.#placed(pieces))
        await this.mailboxes.appendLarge({ handle, octets })
    } catch (thrown) {
      await this.mailboxes.abortLarge({ handle })
      throw thrown
    }
    return { prefix: emptyOctets, large: handle }
  }

  async *#placed(pieces: readonly (Octets | PlacedPiece)[]): AsyncGenerator<Octets> {
    for (const piece of pieces)
      if (piece instanceof Uint8Array) yield piece
      else yield* this.#pieces(piece.place, [piece])
  }

  async *#pieces({ mailbox, uid }: ListPlace, pieces: readonly Piece[]): AsyncGenerator<Octets> {
    for (const piece of pieces) {
      if (piece instanceof Uint8Array) {
        yield piece
        continue
      }
      for (let at = 0; at < piece.length;) {
        const { octets = emptyOctets } = await this.mailboxes.read({
          accountId: this.id,
          mailboxId: mailbox.id,
          uid,
          offset: piece.offset + at,
          length: Math.min(PIECE_BYTES, piece.length - at),
        })
        if (octets.byteLength === 0) break
        at += octets.byteLength
        yield octets
      }
    }
  }
}

/** A short name of a long text: a Message-ID, a set of recipients. */
export const nameOf = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 32)
