import { formatAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { purposeAddress } from '#model/list.ts'
import type { MailingList } from '#model/list.ts'
import type { Verdict } from '#model/verdict.ts'
import type { OutboxEntry } from '#store/mailbox/commit.ts'
import type { KeptObject } from '#store/mailbox/kept-object.ts'

import type { HoldReason } from './decide.ts'
import { HELD } from './incoming.ts'
import type { Letter } from './letter.ts'
import { commitOfList, tellOfMail } from './list-commit.ts'
import { mark } from './list-key.ts'
import { authorText, shownMail, subjectOf } from './list-mail.ts'
import type { ListMail } from './list-mail.ts'
import { HELD_DAYS } from './list-parts.ts'
import type { ListParts } from './list-parts.ts'
import { authorBox, moderatorsOf } from './list-people.ts'
import { ListStore } from './list-store.ts'
import { noticeAbout } from './notice-entry.ts'
import { authorWords, confirmWords, heldWords } from './notices.ts'
import type { Reach } from './reach.ts'
import { seen } from './seen.ts'

/** Held posts of one list that moderators are written to of one by one; of more they hear by the daily look. */
const NOTICES_WAITING_MAX = 50

/** A post that waits for somebody's decision. */
export interface HeldPost {
  readonly number: number
  readonly reason: HoldReason
  /** Whose decision: a moderator's, or its author's, who is to say that so many are meant. */
  readonly by: 'moderator' | 'author'
  readonly author: string | null
  readonly shown: string
  readonly standing: 'proved' | 'claimed' | 'failed'
  readonly subject: string
  readonly messageId: string | null
  readonly sizeBytes: number
  readonly heldAtMs: number
  /** It has been decided about, and that can still be taken back. */
  readonly ending?: Ending
}

/** How it ends without being posted; a text is for its author. */
export type HeldEnd =
  | { readonly kind: 'rejected'; readonly text: string }
  | { readonly kind: 'discarded' }
  | { readonly kind: 'expired' }

export interface Ending {
  readonly end: Exclude<HeldEnd, { kind: 'expired' }>
  readonly by: string
  /** Until then it can be taken back. */
  readonly atMs: number
}

/** One that waits, as a moderator reads it. */
export interface HeldLetter {
  readonly held: HeldPost
  readonly letter: Letter
  /** What the judges found; absent: a gateway of others has told nothing. */
  readonly verdict?: Verdict
}

/** All that wait, the first that came first. */
export async function heldPosts(store: ListStore): Promise<readonly HeldPost[]> {
  return [...(await store.objects('HeldPost')).values()].map(heldPost)
}

export const heldPost = ({ id, madeAtMs, value }: KeptObject): HeldPost => ({
  ...(value as unknown as Omit<HeldPost, 'number' | 'heldAtMs'>),
  number: Number(id),
  // Kept anew with each decision: when it came stands in it since then.
  heldAtMs: Number(value['heldAtMs'] ?? madeAtMs),
})

/** Keeps a mail until somebody decides: its moderators hear of it, or its author is asked. */
export async function hold(
  parts: ListParts,
  list: MailingList,
  mail: ListMail,
  reason: HoldReason,
  reach: Reach,
): Promise<void> {
  const store = new ListStore(parts.mailboxes, list.id)
  const { held } = await store.rows()
  const number = held?.uidNext ?? 1
  const { key, changes } = await store.key()
  const { author, meta } = mail
  const shown = shownMail(mail)
  const address = (what: 'a' | 'r' | 'c'): Address => answerAddress(list, key, what, number)
  const isAuthors = reason === 'tooMany' && author?.standing === 'proved'
  const notices: OutboxEntry[] = []
  if (isAuthors)
    notices.push(
      noticeAbout(parts, list, mail, 'confirm', [authorBox(parts.directory, author)], {
        ...confirmWords(list, shown, {
          count: reach.each.length,
          confirm: address('c'),
          days: HELD_DAYS,
        }),
        replyTo: address('c'),
      }),
    )
  else {
    if ((held?.messages ?? 0) < NOTICES_WAITING_MAX)
      notices.push(
        noticeAbout(parts, list, mail, 'held', moderatorsOf(parts.directory, list), {
          ...heldWords(list, shown, {
            number,
            reason,
            days: HELD_DAYS,
            approve: address('a'),
            reject: address('r'),
          }),
        }),
      )
    if (author?.standing === 'proved' && mail.envelope.reversePath !== null)
      notices.push(
        noticeAbout(
          parts,
          list,
          mail,
          'waits',
          [authorBox(parts.directory, author)],
          authorWords(list, shown, { kind: 'waits', reason }),
        ),
      )
  }
  await commitOfList(parts, list, {
    changes: [
      ...changes,
      {
        kind: 'move',
        from: mail.place.mailbox.id,
        uids: [mail.place.uid],
        to: { path: HELD, create: true },
      },
      {
        kind: 'keep',
        object: 'HeldPost',
        id: String(number),
        value: {
          reason,
          author: author === undefined ? null : formatAddress(authorBox(parts.directory, author)),
          shown: authorText(author),
          standing: author?.standing ?? 'failed',
          subject: subjectOf(meta),
          messageId: meta.envelope.messageId ?? null,
          sizeBytes: meta.sizeBytes,
          by: isAuthors ? 'author' : 'moderator',
        },
      },
      ...seen(mail, 0),
    ],
    outbox: notices.filter(({ recipients }) => recipients.length > 0),
  })
  tellOfMail(parts, list, mail, 'list.held', { number, reason })
}

/** Where an answer goes that decides about a held post: a: approved, r: rejected, c: confirmed by its author. */
const answerAddress = (
  list: MailingList,
  key: string,
  what: 'a' | 'r' | 'c',
  number: number,
): Address => {
  const { localpart, domain } = purposeAddress(list.address, 'confirm')
  return { localpart: `${localpart}+${what}-${number}-${mark(key, what, number)}`, domain }
}
