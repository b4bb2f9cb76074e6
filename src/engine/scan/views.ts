import type { Octets } from '#base/octets.ts'
import { decodeContent } from '#codec/mime/content-decoder.ts'
import { decodeWords, paramOf } from '#codec/mime/encoded-word.ts'
import { decodeText, htmlToText } from '#codec/mime/text.ts'
import { MimeIndexer } from '#codec/mime/indexer.ts'
import type { MessageMeta, MimePart } from '#model/message.ts'

/** One leaf of a message, as the judges look at it. */
export interface PartView {
  readonly part: MimePart
  /** The body as its label says, and as it would read under other encodings: parsers differ, and mail is made to differ. */
  readonly octets: readonly Octets[]
  /** The attachment's name, decoded; absent where it has none. */
  readonly fileName?: string
}

/** A message in memory with what its structure says. */
export interface MessageViews {
  readonly content: Octets
  readonly meta: MessageMeta
  readonly parts: readonly PartView[]
  /** What a reader sees of all texts, cut at TEXT_LENGTH_MAX. */
  readonly text: string
}

const TEXT_LENGTH_MAX = 200_000
/** Base64 lines that make it likely that a part is base64 whatever its label says. */
const BASE64_RUN = /(?:^|\n)[A-Za-z0-9+/]{60,76}\r?\n/

export function viewsOf(content: Octets): MessageViews {
  const indexer = new MimeIndexer()
  indexer.feed(content)
  const meta = indexer.finish()
  const parts = leavesOf(meta.root).map((part) => viewOf(content, part))
  return { content, meta, parts, text: textOf(content, parts) }
}

/** Leaves in order, those of enclosed messages included. */
function leavesOf(root: MimePart): MimePart[] {
  const leaves: MimePart[] = []
  const open = [root]
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    const children = part.message === undefined ? part.parts : [part.message.root]
    if (children.length === 0) leaves.push(part)
    else open.push(...children.toReversed())
  }
  return leaves
}

function viewOf(content: Octets, part: MimePart): PartView {
  const body = content.subarray(part.body.offset, part.body.offset + part.body.length)
  const octets = [decodeContent(body, part.encoding)]
  if (part.encoding !== 'base64' && looksLikeBase64(body))
    octets.push(decodeContent(body, 'base64'))
  if (part.encoding !== '7bit' && part.encoding !== '8bit') octets.push(body)
  if (part.encoding !== 'quoted-printable') octets.push(decodeContent(body, 'quoted-printable'))
  const fileName =
    paramOf(part.disposition?.params ?? [], 'filename') ?? paramOf(part.params, 'name')
  return { part, octets, ...(fileName !== undefined && { fileName: decodeWords(fileName) }) }
}

function looksLikeBase64(body: Octets): boolean {
  const text = Buffer.from(body.subarray(0, 4_096)).toString('latin1')
  return BASE64_RUN.test(text) || /^\s*(?:[A-Za-z0-9+/]{4}){8,}(?:==|=)?\s*$/.test(text)
}

function textOf(content: Octets, parts: readonly PartView[]): string {
  let text = ''
  for (const { part } of parts) {
    if (part.type !== 'text' || text.length >= TEXT_LENGTH_MAX) continue
    const body = content.subarray(part.body.offset, part.body.offset + part.body.length)
    const decoded = decodeText(part, body)
    text += `${part.subtype === 'html' ? htmlToText(decoded) : decoded}\n`
  }
  return text.slice(0, TEXT_LENGTH_MAX)
}
