import { concatOctets } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import type { MimePart } from '#model/message.ts'
import type { Uid } from '#model/mailbox.ts'
import { READ_BYTES_MAX } from '#store/mailbox/mailbox-store.ts'
import { ReadWindow } from '#store/mailbox/read-window.ts'
import { PARTS_HELD_MAX, partsIn, storedMetas } from '#store/mailbox/meta-records.ts'
import type { MessageIds } from '#store/mailbox/mailbox-view.ts'
import type { Prefixed } from '#codec/imap/section.ts'
import { foldText, hasText } from '#codec/mime/fold-text.ts'
import { foldedFields } from '#codec/mime/message-texts.ts'
import { HEADER_BYTES_MAX } from '#codec/mime/header.ts'
import { isReadable, partNames } from '#codec/mime/readings.ts'
import { BodySearch } from './search-body.ts'
import type { Selected } from '#server/imap/view/selected.ts'
import type { ImapSession } from '#server/imap/session/session.ts'

/** Small parts that are searched before others get their turn. */
const PARTS_PER_TURN = 256
/** Octets of a body that are read, and searched, at a time: others get their turn in between. */
const BODY_READ_BYTES = 65_536

/** What is known of one message so far; what is undefined has not been read yet. */
export interface Facts {
  readonly row: number
  /** The number of its email, once the index was asked. */
  email?: number
  message?: Prefixed
  ids?: MessageIds
  /** Unfolded fields in order: lower-case name, folded text. */
  fields?: readonly (readonly [name: string, text: string])[]
  /** Those of the texts searched for that stand in its text parts. */
  bodies?: ReadonlySet<string>
}

/** Reads what searching needs, for one selected mailbox. */
export class FactReader {
  readonly #session: ImapSession
  readonly #selected: Selected
  constructor(session: ImapSession, selected: Selected) {
    this.#session = session
    this.#selected = selected
  }

  #ask(): Selected['view']['asked'] {
    return this.#selected.view.asked
  }

  /** Metas of the first of a batch, at least of one: returns of how many. */
  async messages(facts: readonly Facts[]): Promise<number> {
    const metas = storedMetas(this.#session.room.store, {
      ...this.#ask(),
      uids: this.#selected.uidsOf(facts.map(({ row }) => row)),
    })
    let read = 0
    let parts = 0
    for await (const message of metas) {
      const fact = facts[read++]!
      if (message === undefined) continue
      fact.message = message
      parts += partsIn(message.meta.root, PARTS_HELD_MAX - parts)
      if (parts >= PARTS_HELD_MAX) break
    }
    return read
  }

  async ids(facts: readonly Facts[]): Promise<void> {
    const { ids } = await this.#session.room.store.ids({
      ...this.#ask(),
      uids: this.#selected.uidsOf(facts.map(({ row }) => row)),
    })
    for (const [index, fact] of facts.entries()) {
      const found = ids[index]
      if (found !== undefined) fact.ids = found
    }
  }

  /** The header's fields; needs the meta. */
  async fields(fact: Facts): Promise<void> {
    const { message } = fact
    if (message === undefined) return
    const { header } = message.meta.root
    const length = message.prefixBytes + header.offset + header.length
    const octets = await this.#read(fact, 0, Math.min(length, HEADER_BYTES_MAX))
    fact.fields = foldedFields(octets)
  }

  /**
   * Looks for texts in all text parts and reports, messages within included, and in those messages'
   * headers. Ends with Fault `closed` where the client is gone.
   */
  async bodies(fact: Facts, texts: readonly string[]): Promise<void> {
    const { message } = fact
    if (message === undefined) return
    const found = new Set<string>()
    const window = new ReadWindow((offset, length) => this.#read(fact, offset, length))
    let visited = 0
    const look = (folded: string): void => {
      for (const text of texts) if (hasText(folded, text)) found.add(text)
    }
    const visit = async (part: MimePart): Promise<void> => {
      if (found.size === texts.length) return
      for (const child of part.parts) await visit(child)
      for (const name of partNames(part)) look(foldText(name))
      if (part.message !== undefined) {
        const { root } = part.message
        const { offset, length } = root.header
        const bytes = Math.min(length, HEADER_BYTES_MAX)
        const header = await this.#read(fact, message.prefixBytes + offset, bytes)
        for (const [name, value] of foldedFields(header)) look(`${name}: ${value}`)
        await visit(root)
      } else if (isReadable(part)) {
        const { offset, length } = part.body
        const search = new BodySearch(part, texts, found)
        const at = message.prefixBytes + offset
        if (length <= BODY_READ_BYTES) search.push(await window.read(at, length))
        else {
          const pieces = this.#pieces(fact, { offset: at, length, pieceBytes: BODY_READ_BYTES })
          for await (const octets of pieces) {
            search.push(octets)
            if (search.isDone) return
            await this.#session.connection.stillThere()
          }
        }
        if (search.isDone) return
        if (++visited % PARTS_PER_TURN === 0) await this.#session.connection.stillThere()
        search.end()
      }
    }
    await visit(message.meta.root)
    fact.bodies = found
  }

  async #read(fact: Facts, offset: number, length: number): Promise<Octets> {
    const pieces: Octets[] = []
    const range = { offset, length, pieceBytes: READ_BYTES_MAX }
    for await (const octets of this.#pieces(fact, range)) pieces.push(octets)
    return concatOctets(pieces)
  }

  async *#pieces(
    fact: Facts,
    range: { readonly offset: number; readonly length: number; readonly pieceBytes: number },
  ): AsyncGenerator<Octets> {
    for (let at = 0; at < range.length;) {
      // A message that is damaged has no text; it costs no other its place among the results.
      const { octets } = await this.#session.room.store
        .read({
          ...this.#ask(),
          uid: this.#selected.view.uids[fact.row]! as Uid,
          offset: range.offset + at,
          length: Math.min(range.pieceBytes, range.length - at),
        })
        .catch(nothingIfDamaged)
      if (octets === undefined || octets.length === 0) return
      at += octets.length
      yield octets
    }
  }
}

function nothingIfDamaged(thrown: unknown): { readonly octets: undefined } {
  if (!isFault(thrown, 'corrupt')) throw thrown
  return { octets: undefined }
}
