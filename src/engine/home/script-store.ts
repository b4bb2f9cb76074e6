import type { HomedScripts } from '#engine/deliver/homed-scripts.ts'
import type { AccountId } from '#model/account.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'

/** The store that scripts are served from, as a home of theirs asks it. */
export interface ScriptStore extends Pick<HomedScripts, 'stand' | 'take'> {
  /** From now on a change is asked for at that home first (null: at none); answers what it was before. */
  home(ask: { readonly home: string | null }): Promise<{ readonly before: string | null }>
  readonly stands: MailboxStore['scriptAccounts']
  /** Undefined: there is none of the name. */
  text(ask: { readonly accountId: AccountId; readonly name: string }): Promise<string | undefined>
}
