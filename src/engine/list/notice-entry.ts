import type { Address } from '#model/address.ts'
import type { MailingList } from '#model/list.ts'
import type { OutboxEntry } from '#store/mailbox/commit.ts'

import type { ListMail } from './list-mail.ts'
import type { ListParts } from './list-parts.ts'
import { nameOf } from './list-store.ts'
import { noticeMail } from './notices.ts'
import type { Notice } from './notices.ts'
import { purposeAddress } from '#model/list.ts'

/** A notice about a mail: `what` is said of it once, whatever is begun again. */
export function noticeAbout(
  { clock, newId }: Pick<ListParts, 'clock' | 'newId'>,
  list: MailingList,
  { envelope, meta }: Pick<ListMail, 'envelope' | 'meta'>,
  what: string,
  recipients: readonly Address[],
  words: Pick<Notice, 'subject' | 'text' | 'replyTo' | 'language' | 'isAnswer'>,
): OutboxEntry {
  const about = meta.envelope.messageId?.replace(/^<|>$/g, '')
  return noticeEntry(list, {
    id: `${envelope.deliveryId}-${nameOf(`${list.id} ${what}`).slice(0, 16)}`,
    recipients,
    words: { ...words, ...(about !== undefined && isMessageId(about) && { about }) },
    nowMs: clock.nowMs(),
    newId,
  })
}

/** What a list says itself, on its way out: with the null reverse-path, since nobody answers it (RFC 3834 §3.3). */
export function noticeEntry(
  list: MailingList,
  notice: {
    /** The same for the same cause: said once. */
    readonly id: string
    readonly recipients: readonly Address[]
    readonly words: Pick<Notice, 'subject' | 'text' | 'replyTo' | 'about' | 'language' | 'isAnswer'>
    readonly nowMs: number
    readonly newId: () => string
  },
): OutboxEntry {
  const { id, recipients, words, nowMs, newId } = notice
  const [first] = recipients
  const to = recipients.length === 1 && first ? first : purposeAddress(list.address, 'owner')
  return {
    id,
    kind: 'notice',
    reversePath: null,
    recipients,
    body: '7bit',
    smtpUtf8: false,
    content: noticeMail({ list, to, ...words, id: newId(), nowMs }),
  }
}

const isMessageId = (text: string): boolean =>
  /^[\u0021-\u003b\u003d\u003f-\u007e]{1,250}$/.test(text)
