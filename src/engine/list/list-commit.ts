import { Fault } from '#base/outcome.ts'
import { formatAddress } from '#model/address.ts'
import type { MailingList } from '#model/list.ts'
import type { Content } from '#store/blob/blobs.ts'
import type { AccountCommit, MailboxChange } from '#store/mailbox/commit.ts'

import type { ListMail } from './list-mail.ts'
import type { ListParts } from './list-parts.ts'

/**
 * Commits what becomes of a mail of a list, with what goes out for it. Throws a Fault of kind
 * `conflict` where the mailboxes refuse it: nothing of it stands then.
 */
export async function commitOfList(
  parts: ListParts,
  list: MailingList,
  commit: Omit<AccountCommit, 'accountId'>,
  content?: Content,
): Promise<void> {
  const { results } = await parts.mailboxes.commit({
    contents: content === undefined ? [] : [content],
    commits: [{ ...commit, accountId: list.id }],
  })
  const [result] = results
  if (result?.kind === 'refused')
    throw new Fault('conflict', `${formatAddress(list.address)}: ${result.refusal.text}`)
  if ((commit.outbox ?? []).length > 0) parts.filed()
}

/** Tells an event of a list. */
export function tellOfList(
  parts: ListParts,
  list: MailingList,
  name: string,
  fields: Readonly<Record<string, string | number | null>>,
  deliveryId?: string,
): void {
  parts.events.emit({
    atMs: parts.clock.nowMs(),
    name,
    ...(deliveryId !== undefined && { deliveryId }),
    fields: { list: formatAddress(list.address), ...fields },
  })
}

/** Tells an event about a mail of a list. */
export function tellOfMail(
  parts: ListParts,
  list: MailingList,
  { envelope, author, meta }: ListMail,
  name: string,
  fields: Readonly<Record<string, string | number | null>>,
): void {
  tellOfList(
    parts,
    list,
    name,
    {
      author: author === undefined ? null : formatAddress(author.address),
      messageId: meta.envelope.messageId ?? null,
      ...fields,
    },
    envelope.deliveryId,
  )
}

/** Takes a mail from where it lay. */
export const taken = ({ place }: Pick<ListMail, 'place'>): MailboxChange => ({
  kind: 'expunge',
  mailboxId: place.mailbox.id,
  uids: [place.uid],
  deletedOnly: false,
})
