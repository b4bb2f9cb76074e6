import { fromLatin1, fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { MimePart, OctetRange } from '#model/message.ts'

/** What stays of a message: stretches of it, and octets in the place of others. */
export type Piece = OctetRange | Octets

/** The parts that are no text for people to read. Signatures are none: without them a mail is another. */
export function attachmentsOf(root: MimePart): readonly MimePart[] {
  if (root.parts.length > 0) return root.parts.flatMap(attachmentsOf)
  return isAttachment(root) ? [root] : []
}

function isAttachment({ type, subtype, disposition }: MimePart): boolean {
  if (type === 'application' && SIGNATURES.has(subtype)) return false
  if (type === 'multipart') return false
  return disposition?.kind === 'attachment' || (type !== 'text' && type !== 'message')
}

const SIGNATURES = new Set(['pkcs7-signature', 'x-pkcs7-signature', 'pgp-signature', 'pgp-keys'])

/**
 * A message from `from` to its end without its attachments: a line of text stands in the place of
 * each. Undefined where it is one itself. Offsets count as those of the parts.
 */
export function withoutAttachments(
  root: MimePart,
  from: number,
  end: number,
): readonly Piece[] | undefined {
  const gone = attachmentsOf(root)
  if (gone.includes(root)) return undefined
  const pieces: Piece[] = []
  let at = from
  for (const { header, body } of gone) {
    pieces.push({ offset: at, length: header.offset - at }, NOTE)
    at = body.offset + body.length
  }
  return [...pieces, { offset: at, length: end - at }]
}

const WORDS =
  '（添付ファイルはリストの設定により削除されました。 The list has removed an attachment.）'
const NOTE = fromLatin1(
  `Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n${Buffer.from(
    fromUtf8(WORDS),
  ).toString('base64')}\r\n`.replace(/[A-Za-z0-9+/=]{77,}/, (text) =>
    text.replace(/.{76}/g, '$&\r\n'),
  ),
)
