import type { MailboxId } from '#model/mailbox.ts'
import type { CommitRequest } from '#store/mailbox/commit.ts'
import { storedMetas } from '#store/mailbox/meta-records.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import { threadKeys } from '#store/mailbox/rows/thread.ts'
import type { ThreadKeysByUid } from './copy-across.ts'

const METAS_AT_ONCE = 500

/** Of what the request copies from other accounts, by mailbox: read before the transaction, which waits for no disk. */
export async function keysAcross(
  store: Pick<MailboxStore, 'metas'>,
  { commits }: CommitRequest,
): Promise<ReadonlyMap<MailboxId, ThreadKeysByUid>> {
  const found = new Map<MailboxId, Map<number, string>>()
  for (const { changes } of commits)
    for (const change of changes) {
      if (change.kind !== 'copy' && change.kind !== 'move') continue
      const { from, fromAccount, uids } = change
      if (fromAccount === undefined) continue
      const keys = found.get(from) ?? new Map<number, string>()
      found.set(from, keys)
      for (let at = 0; at < uids.length; at += METAS_AT_ONCE) {
        const some = uids.slice(at, at + METAS_AT_ONCE)
        const metas = storedMetas(store, {
          accountId: fromAccount,
          mailboxId: from,
          uids: some,
        })
        let index = 0
        for await (const stored of metas) {
          if (stored !== undefined) keys.set(some[index]!, threadKeys(stored.meta))
          index++
        }
      }
    }
  return found
}
