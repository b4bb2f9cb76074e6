import { DAY_MS } from '#base/time.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'

import type { ListMail } from './list-mail.ts'
import { DUPLICATE_DAYS } from './list-parts.ts'
import { nameOf } from './list-store.ts'
import type { ListStore } from './list-store.ts'

/** Remembers a mail by its Message-ID as post `number`; 0: it waits. */
export function seen({ meta }: Pick<ListMail, 'meta'>, number: number): MailboxChange[] {
  const { messageId } = meta.envelope
  if (messageId === undefined) return []
  return [{ kind: 'keep', object: 'SeenId', id: nameOf(messageId), value: { number } }]
}

/** Whether the same Message-ID has come in the last DUPLICATE_DAYS. */
export async function isSeen(
  store: ListStore,
  { meta }: Pick<ListMail, 'meta'>,
  nowMs: number,
): Promise<boolean> {
  const { messageId } = meta.envelope
  if (messageId === undefined) return false
  const id = nameOf(messageId)
  const known = (await store.objects('SeenId', [id])).get(id)
  return known !== undefined && nowMs - known.madeAtMs < DUPLICATE_DAYS * DAY_MS
}
