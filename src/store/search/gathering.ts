import { textPlaces, textsOf } from '#codec/mime/message-texts.ts'
import type { MessageTexts } from '#codec/mime/message-texts.ts'
import { decodeMeta } from '#store/mailbox/meta-records.ts'
import type { EmailTexts } from '#store/mailbox/text-source.ts'
import { encodeDocument, flagsOf, invert } from './document.ts'
import { Inverter } from './inverter.ts'
import { SegmentWriter } from './segment-writer.ts'

/** Pairs of gram and document that one new segment may take in memory: eight octets each. */
const PAIRS_MAX = 4_000_000
/** Octets of documents, which are on the disk already. */
const DOCUMENT_BYTES_MAX = 64 * 1024 * 1024

/** A new segment as it is being gathered; it is lost unless it is finished. */
export class Gathering {
  /** The numbers that it covers, from `from` to before `to`. */
  readonly from: number
  to: number
  readonly #writer: SegmentWriter
  readonly #inverter = new Inverter()
  #bytes = 0

  /** The path is that of a file to be thrown away. Throws Fault `io`, `full`. */
  constructor(path: string, from: number) {
    this.from = from
    this.to = from
    this.#writer = new SegmentWriter(path)
  }

  get isFull(): boolean {
    return this.#inverter.pairs > PAIRS_MAX || this.#bytes > DOCUMENT_BYTES_MAX
  }

  take({ emailNumber, content }: EmailTexts): void {
    const texts = content === undefined ? UNREADABLE : readTexts(content)
    const octets = encodeDocument(texts)
    invert(this.#inverter, this.#writer.documents, texts)
    this.#writer.document(emailNumber, flagsOf(texts), octets)
    this.#bytes += octets.length
  }

  /** Writes it and gives it its name. Throws Fault `io`, `full`. */
  finish(path: string): void {
    for (const [key, documents] of this.#inverter.postings()) this.#writer.posting(key, documents)
    this.#writer.finish(path)
  }

  abandon(): void {
    this.#writer.abandon()
  }
}

const UNREADABLE: MessageTexts = {
  envelope: { from: '', to: '', cc: '', bcc: '', subject: '' },
  header: [],
  bodies: [],
  isCut: true,
  hasMarkup: false,
}

function readTexts({ meta, head, octets }: NonNullable<EmailTexts['content']>): MessageTexts {
  try {
    const decoded = decodeMeta(meta)
    return textsOf(decoded, head, { ...textPlaces(decoded.root), octets })
  } catch {
    return UNREADABLE // our mistake, or a message made to find one: it stays open to every search
  }
}
