import { assertNever } from '#base/outcome.ts'
import { mayModerate } from '#model/list.ts'
import type { MailingList } from '#model/list.ts'

import { attachmentsOf } from './attachments.ts'
import { decide } from './decide.ts'
import type { Decision, RefusalReason } from './decide.ts'
import { hold } from './held-post.ts'
import { commitOfList, taken, tellOfMail } from './list-commit.ts'
import { shownMail } from './list-mail.ts'
import type { ListMail } from './list-mail.ts'
import { accountOfAddress } from './list-parts.ts'
import type { ListParts } from './list-parts.ts'
import { authorBox } from './list-people.ts'
import { ListStore } from './list-store.ts'
import { isMemberOf } from './membership.ts'
import { noticeAbout } from './notice-entry.ts'
import { authorWords } from './notices.ts'
import { post } from './posting.ts'
import type { Reach } from './reach.ts'
import { isSeen } from './seen.ts'

/** Makes of a mail to a list what its rules want: one commit, which also takes the mail away. */
export async function takePost(parts: ListParts, list: MailingList, mail: ListMail): Promise<void> {
  const reach = await parts.reachOf(list)
  const decision = await decided(parts, list, mail, reach)
  switch (decision.kind) {
    case 'post':
      await post(parts, list, mail, { reach })
      return
    case 'hold':
      return hold(parts, list, mail, decision.reason, reach)
    case 'refuse':
      return refuse(parts, list, mail, decision.reason, reach)
    case 'drop':
      await commitOfList(parts, list, { changes: [taken(mail)] })
      tellOfMail(parts, list, mail, 'list.dropped', { reason: decision.reason })
      return
    default:
      return assertNever(decision)
  }
}

async function decided(
  parts: ListParts,
  list: MailingList,
  mail: ListMail,
  reach: Reach,
): Promise<Decision> {
  const { directory, clock, mailboxes } = parts
  const { author, envelope, fields, meta } = mail
  const id = author && (author.accountId ?? accountOfAddress(directory, author.address))
  const account = id === undefined ? undefined : directory.account(id)
  const nowMs = clock.nowMs()
  return decide({
    list,
    envelope,
    fields,
    sizeBytes: meta.sizeBytes,
    hasAttachment: attachmentsOf(meta.root).length > 0,
    author,
    is: {
      member:
        author !== undefined && isMemberOf(list.id, account ?? author.address, directory, nowMs),
      ofDomain: id !== undefined,
      moderator: id !== undefined && mayModerate(list, id, directory.moment.today),
    },
    isDuplicate: await isSeen(new ListStore(mailboxes, list.id), mail, nowMs),
    recipients: reach.each.length,
  })
}

/** Only who surely is its author is told; of anybody else a moderator hears instead. */
async function refuse(
  parts: ListParts,
  list: MailingList,
  mail: ListMail,
  reason: RefusalReason,
  reach: Reach,
): Promise<void> {
  const { author } = mail
  const isProved = author?.standing === 'proved'
  if (!isProved && reason === 'notAllowed') return hold(parts, list, mail, reason, reach)
  const words = authorWords(list, shownMail(mail), { kind: 'refused', reason })
  await commitOfList(parts, list, {
    changes: [taken(mail)],
    outbox: isProved
      ? [noticeAbout(parts, list, mail, 'refused', [authorBox(parts.directory, author)], words)]
      : [],
  })
  tellOfMail(parts, list, mail, 'list.refused', { reason })
}
