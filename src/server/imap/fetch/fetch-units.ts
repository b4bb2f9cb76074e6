import { emptyOctets } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { FetchItem } from '#codec/imap/fetch-item.ts'
import { partAt, pickFields, resolveSection } from '#codec/imap/section.ts'
import type { Prefixed, SectionRange, WantedFields } from '#codec/imap/section.ts'
import type { OctetRange } from '#model/message.ts'
import type { Uid } from '#model/mailbox.ts'
import type { MessageIds } from '#store/mailbox/mailbox-view.ts'
import { PIECES_MAX } from '#store/mailbox/message-pieces.ts'
import type { PieceAsk, Unread } from '#store/mailbox/message-pieces.ts'
import { READ_BYTES_MAX } from '#store/mailbox/mailbox-store.ts'
import { decodedPart, pickedFields } from './fetch-binary.ts'
import type { Decoded } from './fetch-binary.ts'
import { rowValue } from '#server/imap/view/fetch-lines.ts'
import { storedValue } from './fetch-texts.ts'
import { CROWDED_READ_BYTES, READ_BYTES, readOctets } from './message-octets.ts'
import type { Of } from './message-octets.ts'
import type { Selected } from '#server/imap/view/selected.ts'
import type { ImapSession } from '#server/imap/session/session.ts'
import type { FetchPlan } from './fetch-plan.ts'

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
  /** NUL may stand in it (RFC 3516 §4.2). */
  readonly isBinary: boolean
}

/** Why a message is left out of the answer. */
export type Missing = Unread | 'unknownEncoding'

/** A value of a response: its text, or what it becomes once the unit's pieces are there. */
export type Value = string | ((pieces: Pieces) => Told | Promise<Told>)
export type Made = string | Literal | DecodedLiteral
/** Fields of a header. */
type Picked = Literal | DecodedLiteral | { readonly missing: Missing }
export type Told = Made | { readonly missing: Missing }
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
  /** Whether a value is read or decoded when its turn comes. */
  readonly waits: boolean
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
  const { asks, bytes, waits } = unit
  return { uid, seq: selected.seqOfRow(row), values, asks, bytes, waits }
}

/** Decoded octets that one response keeps; beyond it they are decoded once more when they are sent. */
const KEPT_BYTES_MAX = 1024 * 1024

/** Gathers what one response reads ahead: never more than one question may ask for. */
class UnitInMaking {
  readonly asks: PieceAsk[] = []
  bytes = 0
  waits = false
  #keptBytes = 0
  readonly #of: Of
  readonly #read = (range: OctetRange): Promise<Octets | undefined> => readOctets(this.#of, range)

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
    this.waits = true
    return async (pieces) => {
      const told = await fields(pieces)
      if ('missing' in told) return told
      return `${item.label} ${'decoded' in told ? told.decoded.length : told.length}`
    }
  }

  #fields(
    { label, partial }: SectionItem,
    range: OctetRange,
    fields: WantedFields,
  ): (pieces: Pieces) => Picked | Promise<Picked> {
    const literal = (header: Octets): Literal => {
      const picked = pickFields(header, fields)
      const { offset, length } = partial ?? { offset: 0, length: picked.length }
      const first = picked.subarray(offset, offset + length)
      return { label, length: first.length, first, rest: { offset: 0, length: 0 } }
    }
    const piece = range.length <= READ_BYTES ? this.#ask(range) : undefined
    if (piece === undefined) {
      this.waits = true
      const { offset, length } = range
      const asked = { range: { offset, length }, fields, ...(partial && { partial }) }
      return async () => {
        const decoded = await pickedFields(asked, this.#read)
        return decoded === 'gone' ? { missing: decoded } : { label, decoded, isBinary: false }
      }
    }
    return (pieces) => {
      const header = pieces[piece]!
      return typeof header === 'string' ? { missing: header } : literal(header)
    }
  }

  /** One is decoded after the other, when its turn comes: thousands may be asked for. */
  binary(item: BinaryItem, { meta, prefixBytes }: Prefixed): Value {
    const { label, path } = item
    const isSize = item.kind === 'binarySize'
    const part = path.length === 0 ? undefined : partAt(meta.root, path)
    if (path.length > 0 && part === undefined) return isSize ? `${label} 0` : `${label} NIL`
    const asked = {
      range:
        part === undefined
          ? { offset: 0, length: prefixBytes + meta.sizeBytes }
          : { offset: part.body.offset + prefixBytes, length: part.body.length },
      encoding: part?.encoding.trim().toLowerCase() ?? 'binary',
      ...(item.kind === 'binary' && item.partial && { partial: item.partial }),
    }
    this.waits = true
    this.bytes += Math.min(READ_BYTES, asked.range.length)
    const mayKeep = (bytes: number): boolean =>
      !isSize && this.#keptBytes + bytes <= KEPT_BYTES_MAX && (this.#keptBytes += bytes) > 0
    return async () => {
      const decoded = await decodedPart(asked, this.#read, mayKeep)
      if (typeof decoded === 'string') return { missing: decoded }
      return isSize ? `${label} ${decoded.length}` : { label, decoded, isBinary: true }
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
