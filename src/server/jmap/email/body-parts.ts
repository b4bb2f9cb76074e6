import { toLatin1 } from '#base/octets.ts'
import { decodeContent } from '#codec/mime/content-decoder.ts'
import { paramOf } from '#codec/mime/encoded-word.ts'
import type { MimePart } from '#model/message.ts'
import { partBlobId } from './source.ts'
import type { Source } from './source.ts'

/** A leaf or multipart with the number that JMAP names it by; a multipart has none. */
export interface BodyPart {
  readonly part: MimePart
  readonly partId: string | undefined
  readonly children: readonly BodyPart[]
}

export interface Bodies {
  readonly root: BodyPart
  readonly text: readonly BodyPart[]
  readonly html: readonly BodyPart[]
  readonly attachments: readonly BodyPart[]
}

const typeOf = ({ type, subtype }: MimePart): string => `${type}/${subtype}`

const nameOf = (part: MimePart): string | undefined =>
  (part.disposition && paramOf(part.disposition.params, 'filename')) ?? paramOf(part.params, 'name')

/** The message's parts, and which of them are its text, HTML and attachments (RFC 8621 §4.1.4). */
export function bodiesOf(message: MimePart): Bodies {
  const root = numbered(message, '')
  const lists = { text: [] as BodyPart[], html: [] as BodyPart[], attachments: [] as BodyPart[] }
  sort([root], 'mixed', false, { ...lists })
  return { root, ...lists }
}

function numbered(part: MimePart, number: string): BodyPart {
  if (part.type !== 'multipart') return { part, partId: number || '1', children: [] }
  const below = (index: number): string => (number === '' ? `${index}` : `${number}.${index}`)
  return {
    part,
    partId: undefined,
    children: part.parts.map((child, index) => numbered(child, below(index + 1))),
  }
}

interface Lists {
  readonly text: BodyPart[] | undefined
  readonly html: BodyPart[] | undefined
  readonly attachments: BodyPart[]
}

const isInlineMedia = ({ type }: MimePart): boolean => ['image', 'audio', 'video'].includes(type)

/** The algorithm of RFC 8621 §4.1.4, word for word. */
// oxlint-disable-next-line max-params -- as the RFC has it
function sort(
  parts: readonly BodyPart[],
  multipart: string,
  inAlternative: boolean,
  lists: Lists,
): void {
  const { text, html, attachments } = lists
  const textLength = text?.length ?? -1
  const htmlLength = html?.length ?? -1
  for (const [index, each] of parts.entries()) {
    const { part } = each
    const type = typeOf(part)
    const isInline =
      part.disposition?.kind !== 'attachment' &&
      (type === 'text/plain' || type === 'text/html' || isInlineMedia(part)) &&
      (index === 0 ||
        (multipart !== 'related' && (isInlineMedia(part) || nameOf(part) === undefined)))
    if (part.type === 'multipart') {
      const isAlternative = part.subtype === 'alternative'
      sort(each.children, part.subtype, inAlternative || isAlternative, lists)
    } else if (!isInline) attachments.push(each)
    else if (multipart === 'alternative') {
      if (type === 'text/plain') text?.push(each)
      else if (type === 'text/html') html?.push(each)
      else attachments.push(each)
    } else {
      const inText = text !== undefined && !(inAlternative && type === 'text/html')
      const inHtml = html !== undefined && !(inAlternative && type === 'text/plain')
      if (inText) text.push(each)
      if (inHtml) html.push(each)
      if ((!inText || !inHtml) && isInlineMedia(part)) attachments.push(each)
    }
  }
  if (multipart !== 'alternative' || text === undefined || html === undefined) return
  // Only one of the two was found: it is the other one as well.
  if (textLength === text.length && htmlLength !== html.length) text.push(...html.slice(htmlLength))
  if (htmlLength === html.length && textLength !== text.length) html.push(...text.slice(textLength))
}

export const BODY_PROPERTIES = [
  'partId',
  'blobId',
  'size',
  'headers',
  'name',
  'type',
  'charset',
  'disposition',
  'cid',
  'language',
  'location',
  'subParts',
] as const

export const BODY_PROPERTIES_DEFAULT: readonly string[] = BODY_PROPERTIES.filter(
  (name) => name !== 'headers' && name !== 'subParts',
)

/** A part as JMAP shows it, but for what stands in its header's octets. */
export async function describePart(
  source: Source,
  { part, partId }: BodyPart,
  properties: ReadonlySet<string>,
): Promise<Record<string, unknown>> {
  const isMultipart = partId === undefined
  const all: Readonly<Record<string, () => unknown>> = {
    partId: () => partId ?? null,
    blobId: () => (isMultipart ? null : partBlobId(source.blobId, partId)),
    size: () => (isMultipart ? 0 : decodedSize(source, part)),
    name: () => nameOf(part) ?? null,
    type: () => typeOf(part),
    charset: () => paramOf(part.params, 'charset') ?? (part.type === 'text' ? 'us-ascii' : null),
    disposition: () => part.disposition?.kind ?? null,
    cid: () => part.id?.trim().replace(/^<|>$/g, '') ?? null,
    language: () => part.language ?? null,
    location: () => part.location ?? null,
  }
  const shown: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(all))
    if (properties.has(name)) shown[name] = await value()
  return shown
}

/** Encoded parts up to this size are decoded to tell their size; of larger ones it is reckoned. */
const SIZED_BYTES_MAX = 1024 * 1024

/** Octets without transfer encoding. */
async function decodedSize(source: Source, part: MimePart): Promise<number> {
  const { offset, length } = part.body
  const at = source.prefixBytes + offset
  if (part.encoding !== 'base64' && part.encoding !== 'quoted-printable') return length
  if (length <= SIZED_BYTES_MAX)
    return decodeContent(await source.read(at, length), part.encoding).length
  if (part.encoding === 'quoted-printable') return length
  const text = toLatin1(await source.read(at + length - TAIL_BYTES, TAIL_BYTES))
  const padding = /(=*)\s*$/.exec(text)![1]!.length
  const lineEnds = part.lines * 2 - (text.endsWith('\n') ? 0 : 2)
  return Math.max(0, Math.floor(((length - lineEnds) * 3) / 4) - padding)
}

const TAIL_BYTES = 16
