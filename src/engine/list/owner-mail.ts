import { emptyOctets } from '#base/octets.ts'
import { mainAddressOf } from '#model/account.ts'
import type { MailingList } from '#model/list.ts'

import { commitOfList, taken, tellOfMail } from './list-commit.ts'
import type { ListMail } from './list-mail.ts'
import type { ListParts } from './list-parts.ts'
import { ListStore, nameOf } from './list-store.ts'

/** Sends a mail on to the list's owners, as an alias would. */
export async function forwardToOwners(
  parts: ListParts,
  list: MailingList,
  mail: ListMail,
): Promise<void> {
  const store = new ListStore(parts.mailboxes, list.id)
  const { envelope, place, prefixBytes, meta } = mail
  const owners = list.owners.flatMap((id) => {
    const account = parts.directory.account(id)
    return account === undefined ? [] : [mainAddressOf(account)]
  })
  const whole = [{ offset: prefixBytes, length: meta.sizeBytes }]
  const content = owners.length === 0 ? undefined : await store.copied(emptyOctets, place, whole)
  await commitOfList(
    parts,
    list,
    {
      changes: [taken(mail)],
      outbox:
        owners.length === 0
          ? []
          : [
              {
                id: `${envelope.deliveryId}-${nameOf(`${list.id} owner`).slice(0, 16)}`,
                kind: 'forward',
                reversePath: envelope.reversePath,
                recipients: owners,
                body: envelope.body,
                smtpUtf8: envelope.smtpUtf8,
                content: 0,
              },
            ],
    },
    content,
  )
  if (owners.length === 0) tellOfMail(parts, list, mail, 'list.dropped', { reason: 'ownerless' })
}
