import { formatAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { MailingList } from '#model/list.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'

import { countedAnswer } from './answer-limit.ts'
import { admissionWords } from './command-words.ts'
import { ERRAND_DAYS, errandAddress } from './errand.ts'
import { commitOfList, tellOfList } from './list-commit.ts'
import type { ListParts } from './list-parts.ts'
import { addressesOf } from './list-people.ts'
import { ListStore } from './list-store.ts'
import { noticeEntry } from './notice-entry.ts'
import type { Notice } from './notices.ts'

/** What owners are asked where somebody wants to be in, and to whom that goes. */
export async function admission(
  { clock, directory }: ListParts,
  list: MailingList,
  store: ListStore,
  member: Address,
): Promise<{
  readonly words: Pick<Notice, 'subject' | 'text'>
  readonly owners: readonly Address[]
  readonly changes: readonly MailboxChange[]
}> {
  const { key, changes } = await store.key()
  const at = (errand: 'y' | 'n'): Address =>
    errandAddress(list, key, { errand, member, nowMs: clock.nowMs() })
  const words = admissionWords(list, {
    who: formatAddress(member),
    admit: at('y'),
    decline: at('n'),
    days: ERRAND_DAYS.y,
  })
  return { words, owners: addressesOf(directory, list.owners), changes }
}

/** The same for somebody who has asked on a page, a few times a day. */
export async function askAdmission(
  parts: ListParts,
  list: MailingList,
  member: Address,
): Promise<'asked' | 'tooOften'> {
  const store = new ListStore(parts.mailboxes, list.id)
  const { today } = parts.directory.moment
  const limit = await countedAnswer(store, {
    to: member,
    isProved: true,
    isConfirmed: false,
    today,
  })
  if (!limit.isAllowed) return 'tooOften'
  const { words, owners, changes } = await admission(parts, list, store, member)
  await commitOfList(parts, list, {
    changes: [...changes, ...limit.changes],
    outbox:
      owners.length === 0
        ? []
        : [
            noticeEntry(list, {
              id: `${list.id}-admission-${parts.newId()}`,
              recipients: owners,
              words,
              nowMs: parts.clock.nowMs(),
              newId: parts.newId,
            }),
          ],
  })
  tellOfList(parts, list, 'list.asked', {
    author: formatAddress(member),
    purpose: 'page',
    end: 'approval',
  })
  return 'asked'
}
