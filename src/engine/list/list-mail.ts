import { emptyOctets } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { decodeWords } from '#codec/mime/encoded-word.ts'
import { HEADER_BYTES_MAX, headerFields } from '#codec/mime/header.ts'
import type { HeaderField } from '#codec/mime/header.ts'
import { formatAddress } from '#model/address.ts'
import type { MessageMeta } from '#model/message.ts'
import type { Directory } from '#store/directory/directory.ts'

import { postAuthor } from './author.ts'
import type { PostAuthor } from './author.ts'
import { parseEnvelope } from './incoming.ts'
import type { ListEnvelope } from './incoming.ts'
import type { ListPlace, ListStore } from './list-store.ts'
import type { ShownPost } from './notices.ts'

/** A mail to a list that lies in one of its mailboxes, as far as it has been read. */
export interface ListMail {
  readonly place: ListPlace
  readonly envelope: ListEnvelope
  readonly meta: MessageMeta
  /** Octets before the message itself: our note. */
  readonly prefixBytes: number
  /** Its header, the blank line included. */
  readonly header: Octets
  readonly fields: readonly HeaderField[]
  readonly author: PostAuthor | undefined
}

/** Reads what is decided by; undefined where it is gone, or none of ours has put it there. */
export async function listMail(
  store: ListStore,
  place: ListPlace,
  directory: Directory,
): Promise<ListMail | undefined> {
  const stored = await store.meta(place)
  if (stored === undefined) return undefined
  const { meta, prefixBytes } = stored
  const noted = parseEnvelope(await store.read(place, 0, prefixBytes))
  if (noted === undefined) return undefined
  const length = Math.min(meta.root.header.length, HEADER_BYTES_MAX)
  const header = length === 0 ? emptyOctets : await store.read(place, prefixBytes, length)
  const fields = [...headerFields(header)]
  const { envelope } = noted
  const isOurs = (domain: string): boolean => directory.domain(domain) !== undefined
  return {
    place,
    envelope,
    meta,
    prefixBytes,
    header,
    fields,
    author: postAuthor(fields, envelope.verdict, isOurs),
  }
}

/** How a notice shows it. */
export const shownMail = ({ meta, author }: ListMail): ShownPost => ({
  author: authorText(author),
  subject: subjectOf(meta),
  preview: meta.preview,
})

export const subjectOf = (meta: MessageMeta): string =>
  decodeWords(meta.envelope.subject ?? '').slice(0, 500)

export const authorText = (author: PostAuthor | undefined): string =>
  author === undefined
    ? ''
    : author.name === undefined
      ? formatAddress(author.address)
      : `${author.name} <${formatAddress(author.address)}>`
