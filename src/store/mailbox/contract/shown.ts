import { toUtf8 } from '#base/octets.ts'
import type { Uid } from '#model/mailbox.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import { hanako } from './contract-bench.ts'

/** All that is seen of an account, apart from the MODSEQ that its next change gets. */
export async function shown(store: MailboxStore, accountId = hanako) {
  const { mailboxes, subscriptions } = await store.mailboxes({ accountId })
  const boxes = []
  for (const row of mailboxes) {
    const view = row.noSelect ? undefined : await store.view({ accountId, mailboxId: row.id })
    const uids = [...(view?.uids ?? [])] as Uid[]
    const { ids } = await store.ids({ accountId, mailboxId: row.id, uids })
    const texts = []
    for (const uid of uids) {
      const ask = { accountId, mailboxId: row.id, uid, offset: 0, length: 1_000_000 }
      texts.push(toUtf8((await store.read(ask)).octets!))
    }
    boxes.push({ row, view, ids, texts })
  }
  return {
    boxes,
    subscriptions,
    scripts: await store.scripts({ accountId }),
    usage: await store.usage({ accountId }),
    expunged: (await store.expunged({ accountId, sinceMs: 0, limit: 100 })).emails,
    remembered: await store.remembered({ accountId, keys: ['v:花子'] }),
    outbox: (await store.outbox({ limit: 100 })).items,
  }
}
