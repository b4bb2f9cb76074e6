import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import type { AccountId } from '#model/account.ts'
import type { Content } from '#store/blob/blobs.ts'
import type { ChangeResult, CommitRefusal, MailboxChange } from '#store/mailbox/commit.ts'
import type { ImapSession } from './session.ts'

/** Commits one change to an account, the session's own where none is named. */
export async function commitOne(
  session: ImapSession,
  change: MailboxChange,
  accountId?: AccountId,
): Promise<Outcome<ChangeResult, CommitRefusal>> {
  const outcome = await commitAll(session, {
    changes: [change],
    contents: [],
    ...(accountId !== undefined && { accountId }),
  })
  if (!outcome.ok) return outcome
  return outcome.value[0] === undefined ? missing() : ok(outcome.value[0])
}

const missing = (): never => {
  throw new Error('a commit without a result')
}

/** Commits changes that happen together or not at all. */
export async function commitAll(
  session: ImapSession,
  {
    changes,
    contents,
    accountId = session.accountId,
  }: {
    readonly changes: readonly MailboxChange[]
    readonly contents: readonly Content[]
    readonly accountId?: AccountId
  },
): Promise<Outcome<readonly ChangeResult[], CommitRefusal>> {
  const { results } = await session.room.store.commit({
    contents,
    commits: [{ accountId, by: session.accountId, changes }],
  })
  const result = results[0]
  if (result?.kind === 'refused') return err(result.refusal)
  return result?.kind === 'committed' ? ok(result.results) : missing()
}
