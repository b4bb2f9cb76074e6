import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import type { Content } from '#store/blob/blobs.ts'
import type { ChangeResult, CommitRefusal, MailboxChange } from '#store/mailbox/commit.ts'
import type { ImapSession } from './session.ts'

/** Commits one change to the session's account. */
export async function commitOne(
  session: ImapSession,
  change: MailboxChange,
  contents: readonly Content[] = [],
): Promise<Outcome<ChangeResult, CommitRefusal>> {
  const { results } = await session.room.store.commit({
    contents,
    commits: [{ accountId: session.accountId, changes: [change] }],
  })
  const result = results[0]
  if (result?.kind === 'refused') return err(result.refusal)
  if (result?.kind === 'committed' && result.results[0] !== undefined) return ok(result.results[0])
  throw new Error('a commit without a result')
}
