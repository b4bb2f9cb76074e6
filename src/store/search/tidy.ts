import type { AccountId } from '#model/account.ts'
import type { TextSource } from '#store/mailbox/text-source.ts'
import type { SearchIndex } from './search-index.ts'

const PAGE = 1_000

/** Takes out of the index what the mailboxes have no more. */
export async function tidyIndex(parts: {
  readonly store: Pick<TextSource, 'keptEmails'>
  readonly index: Pick<SearchIndex, 'accounts' | 'keep' | 'forget'>
  readonly signal: AbortSignal
}): Promise<void> {
  const { index, signal } = parts
  for (let after: AccountId | undefined; !signal.aborted;) {
    const ask = { limit: PAGE, ...(after !== undefined && { after }) }
    const { accountIds } = await index.accounts(ask)
    for (const accountId of accountIds) await tidyAccount(parts, accountId)
    after = accountIds.at(-1)
    if (accountIds.length < PAGE) return
  }
}

async function tidyAccount(
  { store, index, signal }: Parameters<typeof tidyIndex>[0],
  accountId: AccountId,
): Promise<void> {
  for (let from = 0; !signal.aborted;) {
    const { emailNumbers, to, next } = await store.keptEmails({ accountId, from })
    if (next === 0) await index.forget({ accountId }) // there is no such account
    if (to <= from) return
    await index.keep({ accountId, from, to, emailNumbers })
    from = to
    if (to >= next) return
  }
}
