import type { Log } from '#base/log.ts'
import { messageOf } from '#base/outcome.ts'
import { SECOND_MS, sleep } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { MailboxId, Uid } from '#model/mailbox.ts'
import type { AccountCommit, ChangeResult, CommitRequest } from '#store/mailbox/commit.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import type { LateAnswer } from './caller.ts'

const AGAIN_MS = SECOND_MS

interface LateParts {
  readonly mailboxes: Pick<MailboxStore, 'commit'>
  readonly clock: Clock
  readonly log: Log
}

/**
 * Takes back what storage has committed after its caller was told that it does not answer: a program that
 * heard NO of an APPEND or a COPY does the same once more, and would find its message twice. What cannot be
 * done twice (a delivery by its id, flags, a move) stands; so does what took something away as well.
 */
export class LateCommits {
  readonly #parts: LateParts
  readonly #closing = new AbortController()

  constructor(parts: LateParts) {
    this.#parts = parts
  }

  /** What storage has answered to a call that had been given up. */
  readonly heard = ({ service, method, argument, value }: LateAnswer): void => {
    if (service !== 'mailboxes' || method !== 'commit') return
    const { commits } = argument as CommitRequest
    const { results } = value as Awaited<ReturnType<MailboxStore['commit']>>
    const unwanted = commits.flatMap((commit, index) => {
      const result = results[index]
      return result?.kind === 'committed' ? undoing(commit, result.results) : []
    })
    if (unwanted.length > 0) void this.#takeBack(unwanted)
  }

  close(): void {
    this.#closing.abort()
  }

  /** Until storage has taken it: it may fall silent again. */
  async #takeBack(commits: readonly AccountCommit[]): Promise<void> {
    const { mailboxes, clock, log } = this.#parts
    while (!this.#closing.signal.aborted) {
      try {
        await mailboxes.commit({ contents: [], commits })
        log.info('store.takenBack', { accounts: commits.length })
        return
      } catch (thrown) {
        log.warn('store.notTakenBack', { cause: messageOf(thrown) })
        await sleep(clock, AGAIN_MS, this.#closing.signal)
      }
    }
  }
}

function undoing(commit: AccountCommit, results: readonly ChangeResult[]): AccountCommit[] {
  if (!addsAlone(commit)) return []
  const changes = results.flatMap((result) => {
    const added = addedBy(result)
    return added === undefined ? [] : [{ kind: 'expunge', ...added, deletedOnly: false } as const]
  })
  return changes.length === 0 ? [] : [{ accountId: commit.accountId, changes }]
}

const addsAlone = ({ changes, deliveryId, notice, outbox, memories }: AccountCommit): boolean =>
  deliveryId === undefined &&
  notice === undefined &&
  (outbox ?? []).length === 0 &&
  (memories ?? []).length === 0 &&
  changes.every(
    (change) =>
      change.kind === 'copy' || (change.kind === 'append' && change.assigned === undefined),
  )

function addedBy(
  result: ChangeResult,
): { readonly mailboxId: MailboxId; readonly uids: readonly Uid[] } | undefined {
  if (result.kind === 'append') return { mailboxId: result.mailboxId, uids: [result.uid] }
  if (result.kind === 'copy')
    return { mailboxId: result.mailboxId, uids: Array.from(result.targets) as Uid[] }
  return undefined
}
