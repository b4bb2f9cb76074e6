import { formatAddress, addressKey } from '#model/address.ts'
import { mayModerate } from '#model/list.ts'
import type { MailingList } from '#model/list.ts'

import { takeErrand } from './command-work.ts'
import { givenErrand } from './errand.ts'
import type { GivenErrand } from './errand.ts'
import { heldPosts } from './held-post.ts'
import { commitOfList, taken, tellOfMail } from './list-commit.ts'
import { isMark } from './list-key.ts'
import type { ListMail } from './list-mail.ts'
import { accountOfAddress } from './list-parts.ts'
import type { ListParts } from './list-parts.ts'
import { ListStore } from './list-store.ts'
import { Moderation } from './moderation.ts'

/** Octets of an answer that are handed on as the reason of a rejection. */
const REASON_LENGTH_MAX = 1_000

/**
 * An answer to a question about a held post, or about who joins and leaves. Its address has to be one that we made, and whoever
 * answers has to be who was asked: moderators by a login or a domain that vouches for them.
 */
export async function takeAnswer(
  parts: ListParts,
  list: MailingList,
  mail: ListMail,
): Promise<void> {
  const errand = await errandIn(parts, list, mail)
  if (errand !== undefined) return takeErrand(parts, list, mail, errand)
  const end = await decided(parts, list, mail)
  await commitOfList(parts, list, { changes: [taken(mail)] })
  tellOfMail(parts, list, mail, 'list.answered', { end })
}

async function errandIn(
  parts: ListParts,
  list: MailingList,
  { envelope: { address } }: ListMail,
): Promise<GivenErrand | undefined> {
  const { key } = await new ListStore(parts.mailboxes, list.id).key()
  return givenErrand(address.localpart.slice(address.localpart.indexOf('+') + 1), key)
}

/** What has come of it, in a word for events. */
async function decided(parts: ListParts, list: MailingList, mail: ListMail): Promise<string> {
  const { envelope, author, meta } = mail
  const store = new ListStore(parts.mailboxes, list.id)
  const { localpart } = envelope.address
  const match = /^([arc])-(\d{1,10})-([0-9a-f]{20})$/i.exec(
    localpart.slice(localpart.indexOf('+') + 1),
  )
  const { key } = await store.key()
  const what = match?.[1]?.toLowerCase() ?? ''
  const number = Number(match?.[2])
  if (match === null || !isMark(match[3]!, key, what, number)) return 'forged'
  if (author === undefined || author.standing === 'failed') return 'unproved'
  const post = (await heldPosts(store)).find((each) => each.number === number)
  if (post === undefined) return 'notFound'
  const by = formatAddress(author.address)
  const work = new Moderation(parts, list)
  if (what === 'c') {
    const isAuthors = post.by === 'author' && post.author !== null
    if (!isAuthors || addressKey(author.address) !== addressKeyOf(post.author)) return 'notAuthor'
    const made = await work.approve(number, by)
    return made.ok ? 'confirmed' : made.error
  }
  const account = author.accountId ?? accountOfAddress(parts.directory, author.address)
  const { today } = parts.directory.moment
  if (author.standing !== 'proved' || account === undefined || !mayModerate(list, account, today))
    return 'notModerator'
  const text = meta.preview.slice(0, REASON_LENGTH_MAX)
  const made =
    what === 'a'
      ? await work.approve(number, by)
      : await work.end(number, { kind: 'rejected', text }, by)
  return made.ok ? (what === 'a' ? 'approved' : 'rejected') : made.error
}

function addressKeyOf(text: string): string {
  const at = text.lastIndexOf('@')
  return addressKey({ localpart: text.slice(0, at), domain: text.slice(at + 1) })
}
