import { concatOctets, fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { textField } from '#codec/mime/compose.ts'
import { headerFields, headerLength } from '#codec/mime/header.ts'
import { writtenField } from '#engine/sieve/edits.ts'
import type { EditedField, SieveEdits } from '#engine/sieve/edits.ts'
import type { SieveCommandRule } from '#engine/sieve/language.ts'
import { currentPart, rootPart } from '#engine/sieve/parts.ts'
import type { MimePart } from '#model/message.ts'

/** Puts a text, or with `:mime` an entity with a header of its own, in place of a part or of the body (RFC 5703 §5). */
export const replace: SieveCommandRule = {
  needs: 'replace',
  compile(args) {
    const isEntity = args.flag('mime')
    const subject = args.tagText('subject')
    const from = args.tagText('from')
    const replacement = args.text('a replacement')
    return (run) => {
      const text = replacement.of(run)
      const entity = isEntity ? fromUtf8(crlf(text)) : textEntity(text)
      const part = currentPart(run)
      const edits = run.edit()
      if (part !== undefined && part !== rootPart(run)) {
        edits.replace(wholeOf(part), entity)
        return
      }
      replaceBody(edits, entity)
      if (subject !== undefined) rename(edits, 'Subject', subject.of(run))
      if (from !== undefined) rename(edits, 'From', from.of(run))
    }
  },
}

/** From the first octet of its header to the last of its body. */
const wholeOf = ({ header, body }: MimePart) => ({
  offset: header.offset,
  length: body.offset + body.length - header.offset,
})

/** A text as an entity of MIME. */
export function textEntity(text: string): Octets {
  const body = crlf(text)
  const isPlain = /^[\t\r\n -~]*$/.test(body) && !/[^\r\n]{990}/.test(body)
  const encoded = isPlain
    ? body
    : (
        Buffer.from(body)
          .toString('base64')
          .match(/.{1,76}/g) ?? []
      ).join('\r\n')
  return fromUtf8(
    `Content-Type: text/plain; charset=utf-8\r\n` +
      `Content-Transfer-Encoding: ${isPlain ? '7bit' : 'base64'}\r\n\r\n${encoded}`,
  )
}

const crlf = (text: string): string => text.replace(/\r\n|\r|\n/g, '\r\n')

/** The entity's fields take the place of those that told of the body before. */
export function replaceBody(edits: SieveEdits, entity: Octets): void {
  const length = headerLength(entity)
  const head = entity.subarray(0, length)
  const own = Array.from(headerFields(head))
    .filter(({ key }) => key.startsWith('content-'))
    .map(({ key, range }): EditedField => ({
      key,
      octets: head.subarray(range.offset, range.offset + range.length),
    }))
  const kept = edits.fields.filter(
    ({ key }) => !key.startsWith('content-') && key !== 'mime-version',
  )
  edits.setFields([...kept, writtenField('MIME-Version', 'MIME-Version: 1.0'), ...own])
  edits.replaceBody(concatOctets([entity.subarray(length)]))
}

/** RFC 5703 §5: what the field said before is kept under another name. */
function rename(edits: SieveEdits, name: string, value: string): void {
  const key = name.toLowerCase()
  const before = edits.fields.filter((field) => field.key === key)
  const others = edits.fields.filter((field) => field.key !== key)
  const originals = before.map(({ octets }): EditedField => ({
    key: `original-${key}`,
    octets: concatOctets([fromUtf8('Original-'), octets]),
  }))
  edits.setFields([...others, ...originals, writtenField(name, textField(name, value))])
}
