import type { MailingList } from '#model/list.ts'
import type { MailboxChange, OutboxEntry } from '#store/mailbox/commit.ts'

import type { ListMail } from './list-mail.ts'
import type { ListParts } from './list-parts.ts'
import { addressesOf } from './list-people.ts'
import { ListStore } from './list-store.ts'
import { noticeAbout } from './notice-entry.ts'
import { staleWords, unresolvedWords } from './notices.ts'
import type { Reach } from './reach.ts'

/** Owners hear once a day of members who lead to nobody, and of what is known from long ago. */
export async function reachNotices(
  parts: ListParts,
  list: MailingList,
  mail: ListMail,
  reach: Reach,
): Promise<{
  readonly outbox: readonly OutboxEntry[]
  readonly changes: readonly MailboxChange[]
}> {
  const owners = addressesOf(parts.directory, list.owners)
  const told = [
    { what: 'unresolved', about: reach.unresolved, words: unresolvedWords },
    { what: 'stale', about: reach.stale, words: staleWords },
  ].filter(({ about }) => about.length > 0 && owners.length > 0)
  const idOf = (what: string): string => `${what} ${parts.directory.moment.today}`
  const known = await new ListStore(parts.mailboxes, list.id).objects(
    'SeenId',
    told.map(({ what }) => idOf(what)),
  )
  const fresh = told.filter(({ what }) => !known.has(idOf(what)))
  return {
    outbox: fresh.map(({ what, about, words }) =>
      noticeAbout(parts, list, mail, what, owners, words(list, about)),
    ),
    changes: fresh.map(({ what }) => ({
      kind: 'keep' as const,
      object: 'SeenId' as const,
      id: idOf(what),
      value: {},
    })),
  }
}
