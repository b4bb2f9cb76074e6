import { concatOctets, emptyOctets, fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { headerFields, headerLength } from '#codec/mime/header.ts'
import type { OctetRange } from '#model/message.ts'

import type { SieveEdited } from './action.ts'
import { headerView } from './header-view.ts'
import { endRun } from './language.ts'
import type { SieveHeader, SieveMessage } from './message.ts'

/** Changes of one message by one run. */
const EDITS_MAX = 100
/** Octets of a header and of a message that edits have made. */
const EDITED_HEADER_BYTES_MAX = 1_048_576
const EDITED_BYTES_MAX = 64 * 1_048_576

/** A field of a header being edited, or lines between fields that are none. */
export interface EditedField {
  /** Lower-case; empty: no field. */
  readonly key: string
  readonly octets: Octets
}

/** What a script has changed of its message. The message itself stays as it came. */
export class SieveEdits {
  readonly #content: Octets
  readonly #isCut: boolean
  /** The header's octets before the first edit, its blank line included. */
  readonly #headLength: number
  #fields: readonly EditedField[]
  /** As long as nothing else was done: what was put in front. */
  #front: readonly EditedField[] | undefined = []
  #replaced: { readonly range: OctetRange; readonly octets: Octets }[] = []
  /** In place of all of the body. */
  #body: Octets | undefined
  #count = 0
  #header: SieveHeader | undefined
  #edited: SieveEdited | undefined

  constructor({ content, isCut }: Pick<SieveMessage, 'content' | 'isCut'>) {
    this.#content = content ?? endRun('there is no message that could be changed')
    this.#isCut = isCut === true
    this.#headLength = headerLength(this.#content)
    this.#fields = fieldsOf(this.#content.subarray(0, this.#headLength))
  }

  /** Another edit begins. */
  more(): this {
    if (++this.#count > EDITS_MAX)
      endRun(`the script changes the message more than ${EDITS_MAX} times`)
    return this
  }

  get fields(): readonly EditedField[] {
    return this.#fields
  }

  get header(): SieveHeader {
    this.#header ??= headerView(concatOctets(this.#fields.map(({ octets }) => octets)))
    return this.#header
  }

  /** Puts a field in front of all others, or behind them. */
  add(field: EditedField, isLast: boolean): void {
    if (isLast) this.#setFields([...this.#fields, field])
    else {
      const front = this.#front
      this.#setFields([field, ...this.#fields], front && [field, ...front])
    }
  }

  setFields(fields: readonly EditedField[]): void {
    if (
      fields.length !== this.#fields.length ||
      fields.some((field, i) => field !== this.#fields[i])
    )
      this.#setFields(fields)
  }

  /** Puts octets in place of a stretch of the message as it came. */
  replace(range: OctetRange, octets: Octets): void {
    this.#refuseCut()
    const end = range.offset + range.length
    // What lies within it has gone with it.
    this.#replaced = this.#replaced.filter(
      ({ range: other }) => other.offset + other.length <= range.offset || other.offset >= end,
    )
    this.#replaced.push({ range, octets })
    this.#changed()
  }

  /** True where the stretch was replaced, alone or within a larger one. */
  isReplaced({ offset, length }: OctetRange): boolean {
    return (
      this.#body !== undefined ||
      this.#replaced.some(
        ({ range }) => range.offset <= offset && range.offset + range.length >= offset + length,
      )
    )
  }

  replaceBody(octets: Octets): void {
    this.#refuseCut()
    this.#body = octets
    this.#replaced = []
    this.#changed()
  }

  /** The message as it is now; undefined: as it came. */
  edited(): SieveEdited | undefined {
    if (this.#front?.length === 0) return undefined
    this.#edited ??=
      this.#front === undefined
        ? { kind: 'whole', octets: this.octets() }
        : { kind: 'prefixed', prefix: joined(this.#front) }
    return this.#edited
  }

  octets(): Octets {
    this.#refuseCut()
    const isTerminated =
      this.#headLength === 0 || endsBlank(this.#content.subarray(0, this.#headLength))
    const body = this.#body ?? this.#bodyWithParts()
    const needsEnd = isTerminated || body.byteLength > 0
    const octets = concatOctets([joined(this.#fields), needsEnd ? LINE_END : emptyOctets, body])
    if (octets.byteLength > EDITED_BYTES_MAX)
      endRun(`the changed message has more than ${EDITED_BYTES_MAX} octets`)
    return octets
  }

  #bodyWithParts(): Octets {
    const pieces: Octets[] = []
    let at = this.#headLength
    for (const { range, octets } of this.#replaced.toSorted(
      (a, b) => a.range.offset - b.range.offset,
    )) {
      pieces.push(this.#content.subarray(at, range.offset), octets)
      at = range.offset + range.length
    }
    return concatOctets([...pieces, this.#content.subarray(at)])
  }

  #setFields(fields: readonly EditedField[], front?: readonly EditedField[]): void {
    if (front === undefined) this.#refuseCut()
    const size = fields.reduce((sum, { octets }) => sum + octets.byteLength, 0)
    if (size > EDITED_HEADER_BYTES_MAX)
      endRun(`the changed header has more than ${EDITED_HEADER_BYTES_MAX} octets`)
    this.#fields = fields
    this.#header = undefined
    this.#front = front
    this.#edited = undefined
  }

  #changed(): void {
    this.#front = undefined
    this.#edited = undefined
  }

  /** Of a large message only the beginning is at hand: fields can be put in front of it, nothing else. */
  #refuseCut(): void {
    if (this.#isCut) endRun('the message is too large to be changed')
  }
}

const LINE_END = fromUtf8('\r\n')

const joined = (fields: readonly EditedField[]): Octets =>
  concatOctets([emptyOctets, ...fields.map(({ octets }) => octets)])

/** True where the octets of a header end with its blank line: only then is there a body. */
export const endsBlank = (head: Octets): boolean => {
  const text = Buffer.from(head.subarray(-4)).toString('latin1')
  return head.length < 3 ? /^\r?\n$/.test(text) : /\n\r?\n$/.test(text)
}

/** The fields of a header block, with what stands between them; its blank line is left out. */
function fieldsOf(head: Octets): EditedField[] {
  const fields: EditedField[] = []
  let at = 0
  for (const { key, range } of headerFields(head)) {
    if (range.offset > at) fields.push({ key: '', octets: head.subarray(at, range.offset) })
    at = range.offset + range.length
    fields.push({ key, octets: ended(head.subarray(range.offset, at)) })
  }
  return fields
}

/** A field that is the message's last octets may lack its line end. */
const ended = (octets: Octets): Octets =>
  octets.at(-1) === 0x0a ? octets : concatOctets([octets, LINE_END])

/** A field of a header that was written as text. */
export const writtenField = (name: string, text: string): EditedField => ({
  key: name.toLowerCase(),
  octets: fromUtf8(`${text}\r\n`),
})
