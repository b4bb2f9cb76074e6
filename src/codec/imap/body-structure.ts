import type { MimeParams, MimePart } from '#model/message.ts'
import { renderEnvelope } from './envelope.ts'
import { nstring, quote } from './render.ts'

/** BODY's value, or BODYSTRUCTURE's with its extension data (RFC 9051 §7.5.2). */
export function renderBody(part: MimePart, form: 'body' | 'bodyStructure'): string {
  const extended = form === 'bodyStructure'
  // RFC 9051 §9 body-type-mpart holds one part at least; an empty multipart is shown as a leaf.
  if (part.type === 'multipart' && part.parts.length > 0) {
    const inner = part.parts.map((child) => renderBody(child, form)).join('')
    const tail = extended ? ` ${params(part.params)} ${extensions(part)}` : ''
    return `(${inner} ${word(part.subtype)}${tail})`
  }
  const fields = [
    word(part.type),
    word(part.subtype),
    params(part.type === 'text' ? withCharset(part.params) : part.params),
    nstring(part.id),
    nstring(part.description),
    word(part.encoding),
    String(part.body.length),
  ]
  if (part.message !== undefined)
    fields.push(
      renderEnvelope(part.message.envelope),
      renderBody(part.message.root, form),
      String(part.lines),
    )
  else if (part.type === 'message' && (part.subtype === 'rfc822' || part.subtype === 'global'))
    // RFC 9051 §9: body-type-msg must hold an envelope; what was not analysed is an opaque leaf.
    return renderBody({ ...part, type: 'application', subtype: 'octet-stream' }, form)
  else if (part.type === 'text') fields.push(String(part.lines))
  if (extended) fields.push(nstring(part.md5), extensions(part))
  return `(${fields.join(' ')})`
}

/** RFC 2046 §4.1.2: text that names no charset is US-ASCII, and clients are used to being told so. */
const withCharset = (list: MimeParams): MimeParams =>
  list.some(([name]) => /^charset(?:\*|$)/i.test(name)) ? list : [...list, ['charset', 'us-ascii']]

const word = (text: string): string => quote(text)

const params = (list: MimeParams): string =>
  list.length === 0
    ? 'NIL'
    : `(${list.map(([name, value]) => `${quote(name)} ${quote(value)}`).join(' ')})`

function extensions(part: MimePart): string {
  const disposition =
    part.disposition === undefined
      ? 'NIL'
      : `(${quote(part.disposition.kind)} ${params(part.disposition.params)})`
  const language = part.language
  const languages =
    language === undefined || language.length === 0 ? 'NIL' : `(${language.map(quote).join(' ')})`
  return `${disposition} ${languages} ${nstring(part.location)}`
}
