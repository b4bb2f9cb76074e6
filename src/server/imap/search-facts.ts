import { toLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { decodeWords } from '#codec/mime/encoded-word.ts'
import { decodeText, htmlToText } from '#codec/mime/text.ts'
import type { HeaderAddress, MimePart } from '#model/message.ts'
import type { Uid } from '#model/mailbox.ts'
import { READ_BYTES_MAX } from '#store/mailbox/mailbox-store.ts'
import type { MessageIds } from '#store/mailbox/mailbox-store.ts'
import type { Prefixed } from '#codec/imap/section.ts'
import { foldText } from './search-text.ts'
import type { Selected } from './selected.ts'
import type { ImapSession } from './session.ts'

/** Tags that stand inside words. */
const INLINE_TAGS = /<\/?(?:a|b|em|font|i|mark|s|span|strong|u|wbr)\b[^<>]*>/gi

/** What is known of one message so far; what is undefined has not been read yet. */
export interface Facts {
  readonly row: number
  message?: Prefixed
  ids?: MessageIds
  /** Unfolded fields in order: lower-case name, folded text. */
  fields?: readonly (readonly [name: string, text: string])[]
  /** Folded texts of the text parts. */
  bodies?: readonly string[]
}

/** Reads what searching needs, for one selected mailbox. */
export class FactReader {
  readonly #session: ImapSession
  readonly #selected: Selected
  constructor(session: ImapSession, selected: Selected) {
    this.#session = session
    this.#selected = selected
  }

  #ask(): { accountId: ImapSession['accountId']; mailboxId: Selected['view']['mailboxId'] } {
    return { accountId: this.#session.accountId, mailboxId: this.#selected.view.mailboxId }
  }

  /** Metas of a batch. */
  async messages(facts: readonly Facts[]): Promise<void> {
    const { metas } = await this.#session.room.store.metas({
      ...this.#ask(),
      uids: this.#selected.uidsOf(facts.map(({ row }) => row)),
    })
    for (const [index, fact] of facts.entries()) {
      const message = metas[index]
      if (message !== undefined) fact.message = message
    }
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
    const octets = await this.#read(fact, 0, message.prefixBytes + header.offset + header.length)
    fact.fields = fieldsOf(toLatin1(octets))
  }

  /** Texts of all text parts and reports, messages within included, and those messages' headers. */
  async bodies(fact: Facts): Promise<void> {
    const { message } = fact
    if (message === undefined) return
    const texts: string[] = []
    const visit = async (part: MimePart): Promise<void> => {
      for (const child of part.parts) await visit(child)
      if (part.message !== undefined) {
        const { root } = part.message
        const { offset, length } = root.header
        const header = await this.#read(fact, message.prefixBytes + offset, length)
        for (const [name, text] of fieldsOf(toLatin1(header))) texts.push(`${name}: ${text}`)
        await visit(root)
      } else if (part.type === 'text' || part.type === 'message') {
        // A bounce names the failed address in message/delivery-status only.
        const { offset, length } = part.body
        const text = decodeText(part, await this.#read(fact, message.prefixBytes + offset, length))
        texts.push(foldText(text))
        if (part.subtype === 'html') texts.push(foldText(htmlToText(text.replace(INLINE_TAGS, ''))))
      }
    }
    await visit(message.meta.root)
    fact.bodies = texts
  }

  async #read(fact: Facts, offset: number, length: number): Promise<Octets> {
    const parts: Octets[] = []
    for (let at = 0; at < length;) {
      const { octets } = await this.#session.room.store.read({
        ...this.#ask(),
        uid: this.#selected.view.uids[fact.row]! as Uid,
        offset: offset + at,
        length: Math.min(READ_BYTES_MAX, length - at),
      })
      if (octets === undefined || octets.length === 0) break
      parts.push(octets)
      at += octets.length
    }
    return Buffer.concat(parts)
  }
}

function fieldsOf(header: string): (readonly [string, string])[] {
  const fields: (readonly [string, string])[] = []
  for (const raw of header.replace(/\r?\n(?=[ \t])/g, '').split(/\r?\n/)) {
    const colon = raw.indexOf(':')
    if (colon <= 0) continue
    fields.push([
      raw.slice(0, colon).trim().toLowerCase(),
      foldText(decodeWords(raw.slice(colon + 1).trim())),
    ])
  }
  return fields
}

/** Addresses as FROM and its kin search them: names and addresses. */
export function addressText(addresses: readonly HeaderAddress[] | undefined): string {
  const texts = (addresses ?? []).map(
    ({ name, mailbox, host }) =>
      `${decodeWords(name ?? '')} <${mailbox ?? ''}${host === undefined ? '' : `@${host}`}>`,
  )
  return foldText(texts.join(', '))
}
