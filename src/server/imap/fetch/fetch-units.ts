import { emptyOctets, fromLatin1, toLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { FetchItem } from '#codec/imap/fetch-item.ts'
import { partAt, pickFields, resolveSection } from '#codec/imap/section.ts'
import type { Prefixed, SectionRange } from '#codec/imap/section.ts'
import type { OctetRange } from '#model/message.ts'
import type { Uid } from '#model/mailbox.ts'
import type { MessageIds } from '#store/mailbox/mailbox-view.ts'
import { PIECES_MAX } from '#store/mailbox/message-pieces.ts'
import type { PieceAsk, Unread } from '#store/mailbox/message-pieces.ts'
import { READ_BYTES_MAX } from '#store/mailbox/mailbox-store.ts'
import { decodedPart } from './fetch-binary.ts'
import type { Decoded } from './fetch-binary.ts'
import { rowValue } from '#server/imap/view/fetch-lines.ts'
import { storedValue } from './fetch-texts.ts'
import { CROWDED_READ_BYTES, READ_BYTES, readAllOctets, readOctets } from './message-octets.ts'
import type { Of } from './message-octets.ts'
import type { Selected } from '#server/imap/view/selected.ts'
import type { ImapSession } from '#server/imap/session/session.ts'
import type { TextKind } from '#server/imap/view/shown-texts.ts'

/** What a FETCH asks for, sorted out once. */
export interface FetchPlan {
  readonly items: readonly FetchItem[]
  /** Those that are rendered from the stored meta. */
  readonly texts: readonly TextKind[]
  /** Octets of messages. */
  readonly hasSections: boolean
  readonly needsIds: boolean
}

/** True where parts have to be found, or texts made: the whole message is where its row says. */
export const needsMetas = ({ items, texts }: FetchPlan): boolean =>
  texts.length > 0 ||
  items.some(
    (item) =>
      item.kind === 'binary' ||
      item.kind === 'binarySize' ||
      (item.kind === 'section' && !isWhole(item)),
  )

const isWhole = ({ section }: SectionItem): boolean =>
  section.path.length === 0 && section.text.kind === 'whole'

type SectionItem = FetchItem & { readonly kind: 'section' }
type BinaryItem = FetchItem & { readonly kind: 'binary' | 'binarySize' }

/** A literal: its first octets, and where the rest lies, which is read while it is sent. */
export interface Literal {
  readonly label: string
  readonly length: number
  readonly first: Octets
  readonly rest: OctetRange
}

/** Octets that are decoded while they are sent. */
export interface DecodedLiteral {
  readonly label: string
  readonly decoded: Decoded
}

/** Why a message is left out of the answer. */
export type Missing = Unread | 'unknownEncoding'

/** A value of a response: its text, or what it becomes once the unit's pieces are there. */
export type Value = string | ((pieces: Pieces) => Told | Promise<Told>)
export type Made = string | Literal | DecodedLiteral
type Told = Made | { readonly missing: Missing }
/** Of what a unit has asked for, in order. */
export type Pieces = readonly (Octets | Unread)[]

/** One FETCH response in the making. */
export interface Unit {
  readonly uid: Uid
  readonly seq: number
  readonly values: readonly Value[]
  /** What has to be read before it can be told. */
  readonly asks: readonly PieceAsk[]
  readonly bytes: number
}

/** What is known of a message before its octets are read. */
export interface Known {
  readonly message?: Prefixed
  readonly ids?: MessageIds
}

/** Sorts out which octets a row's response takes. */
export function unitOf(
  session: ImapSession,
  selected: Selected,
  ask: {
    readonly row: number
    readonly plan: FetchPlan
    readonly known: Known
    /** \Seen has just been set. */
    readonly seen: boolean
  },
): Unit {
  const { row, plan, known } = ask
  const uid = selected.view.uids[row]! as Uid
  const { message, ids } = known
  const unit = new UnitInMaking({ session, selected, uid })
  const texts =
    plan.texts.length === 0
      ? {}
      : session.room.shownTexts.render(selected.view, uid, {
          meta: message!.meta,
          kinds: plan.texts,
        })
  const values = plan.items.map((item): Value => {
    if (item.kind === 'section') {
      if (isWhole(item)) return unit.section(item, { offset: 0, length: selected.view.sizes[row]! })
      const range = resolveSection(item.section, message!)
      if (item.sizeOnly === true) return unit.size(item, range)
      // RFC 9051 §6.4.5: a part that does not exist is NIL.
      return range === undefined ? `${item.label} NIL` : unit.section(item, range)
    }
    if (item.kind === 'binary' || item.kind === 'binarySize') return unit.binary(item, message!)
    return rowValue(selected, row, item.kind) || storedValue(item.kind, { texts, ids })
  })
  if (ask.seen) {
    // RFC 9051 §6.4.5: the flag that reading sets is told with what is read.
    if (!plan.items.some((item) => item.kind === 'flags'))
      values.push(rowValue(selected, row, 'flags'))
    if (session.condStore && !plan.items.some((item) => item.kind === 'modSeq'))
      values.push(rowValue(selected, row, 'modSeq'))
  }
  return { uid, seq: selected.seqOfRow(row), values, asks: unit.asks, bytes: unit.bytes }
}

/** Gathers what one response reads ahead: never more than one question may ask for. */
class UnitInMaking {
  readonly asks: PieceAsk[] = []
  bytes = 0
  readonly #of: Of

  constructor(of: Of) {
    this.#of = of
  }

  section(item: SectionItem, range: SectionRange): Value {
    if (range.fields !== undefined) return this.#fields(item, range, range.fields)
    const { label, partial } = item
    const skip = Math.min(partial?.offset ?? 0, range.length)
    const length = Math.min(partial?.length ?? range.length, range.length - skip)
    const offset = range.offset + skip
    const isCrowded = length > READ_BYTES && !this.#of.session.room.readAhead.hasRoom
    const firstLength = Math.min(length, isCrowded ? CROWDED_READ_BYTES : READ_BYTES)
    const piece = this.#ask({ offset, length: firstLength })
    const literal = (first: Octets): Literal => ({
      label,
      length,
      first,
      rest: { offset: offset + first.length, length: length - first.length },
    })
    if (piece === undefined) return () => literal(emptyOctets)
    return (pieces) => {
      const first = pieces[piece]!
      if (typeof first === 'string') return { missing: first }
      return first.length === firstLength ? literal(first) : { missing: 'damaged' } // cut short
    }
  }

  size(item: SectionItem, range: SectionRange | undefined): Value {
    if (range?.fields === undefined) return `${item.label} ${range?.length ?? 0}`
    const fields = this.#fields(item, range, range.fields)
    return async (pieces) => {
      const told = await fields(pieces)
      return 'length' in told ? `${item.label} ${told.length}` : told
    }
  }

  #fields(
    { label, partial }: SectionItem,
    range: OctetRange,
    fields: { readonly names: readonly string[]; readonly not: boolean },
  ): (pieces: Pieces) => Promise<Literal | { readonly missing: Missing }> {
    const literal = (header: Octets): Literal => {
      const picked = fromLatin1(pickFields(toLatin1(header), fields))
      const { offset, length } = partial ?? { offset: 0, length: picked.length }
      const first = picked.subarray(offset, offset + length)
      return { label, length: first.length, first, rest: { offset: 0, length: 0 } }
    }
    const piece = range.length <= READ_BYTES ? this.#ask(range) : undefined
    return async (pieces) => {
      const header = piece === undefined ? await readAllOctets(this.#of, range) : pieces[piece]!
      if (header === undefined) return { missing: 'gone' }
      return typeof header === 'string' ? { missing: header } : literal(header)
    }
  }

  binary(item: BinaryItem, message: Prefixed): Value {
    const encoded = partAt(message.meta.root, item.path)?.body.length ?? message.meta.sizeBytes
    this.bytes += Math.min(READ_BYTES, encoded) // what decoding keeps
    const { label } = item
    const started = decodedPart(item, message, (range) => readOctets(this.#of, range))
    started.catch(() => undefined) // awaited when its turn comes; where an earlier one fails, nobody does
    return async () => {
      const decoded = await started
      if (decoded === 'gone' || decoded === 'unknownEncoding') return { missing: decoded }
      if (item.kind === 'binarySize') return `${label} ${decoded === 'noPart' ? 0 : decoded.length}`
      return decoded === 'noPart' ? `${label} NIL` : { label, decoded }
    }
  }

  /** The place of the piece; undefined where it is nothing, or one too many to be read ahead. */
  #ask({ offset, length }: OctetRange): number | undefined {
    if (length === 0) return undefined
    if (this.asks.length >= PIECES_MAX || this.bytes + length > READ_BYTES_MAX) return undefined
    this.bytes += length
    return this.asks.push({ uid: this.#of.uid, offset, length }) - 1
  }
}
