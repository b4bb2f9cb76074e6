import type { Address } from '#model/address.ts'
import type { MailingList } from '#model/list.ts'
import type { OutboxEntry } from '#store/mailbox/commit.ts'

import { noticeMail } from './notices.ts'
import type { Notice } from './notices.ts'
import { purposeAddress } from '#model/list.ts'

/** What a list says itself, on its way out: with the null reverse-path, since nobody answers it (RFC 3834 §3.3). */
export function noticeEntry(
  list: MailingList,
  notice: {
    /** The same for the same cause: said once. */
    readonly id: string
    readonly recipients: readonly Address[]
    readonly words: Pick<Notice, 'subject' | 'text' | 'replyTo' | 'about'>
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
