import type { Log } from '#base/log.ts'
import { messageOf } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import { Turns } from '#base/turns.ts'
import { mainAddressOf } from '#model/account.ts'
import type { AccountId } from '#model/account.ts'
import type { EventSink } from '#model/event.ts'
import { isLimited, isOver, NO_QUOTA, quotaOf } from '#model/quota.ts'
import type { QuotaRule } from '#model/quota.ts'
import type { Directory } from '#store/directory/directory.ts'
import type { AccountCommit } from '#store/mailbox/commit.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import type { QuotaNotice } from '#store/mailbox/change/quota.ts'
import type { DeliveryMailboxes, RoomAsk } from './delivery-mailboxes.ts'
import { overlaid } from './overlaid.ts'
import { annotationsOf } from './script-annotations.ts'
import { quotaMail } from './quota-mail.ts'

export interface QuotaParts {
  readonly mailboxes: MailboxStore
  readonly directory: Pick<Directory, 'account' | 'domain'>
  /** For accounts and domains without a limit of their own. */
  readonly defaults: () => QuotaRule
  readonly newId: () => string
  readonly events: EventSink
  readonly clock: Clock
  readonly log: Log
}

/**
 * What accounts may hold, where the directory is known: every commit through `mailboxes` is asked by
 * its account's quota, and owners are told by mail what they should know of it. What is to be told is
 * noted in the commit that made it so; whoever dies in between has the next commit say it again.
 */
export class Quotas {
  /** The mailboxes, asked by quota. */
  readonly mailboxes: AskedMailboxes
  readonly #parts: QuotaParts
  readonly #telling = new Map<AccountId, Promise<void>>()

  /** What the account may hold, 0 of either: no limit; and at which share of it its owner is warned. */
  readonly quotaOf = (accountId: AccountId): QuotaRule => {
    const { directory, defaults } = this.#parts
    const account = directory.account(accountId)
    const { warnPercent, mailboxes = 0, ...installation } = defaults()
    if (account === undefined) return { ...NO_QUOTA, warnPercent, mailboxes }
    const domain = directory.domain(account.domain)
    return { ...quotaOf(account, domain, { ...installation, mailboxes }), warnPercent }
  }

  /** Whether a delivery of so many octets would be taken now; its owner hears of it where not. */
  readonly hasRoom = async (ask: RoomAsk): Promise<{ readonly hasRoom: boolean }> => {
    const { accountId, sizeBytes, copyId } = ask
    const { mailboxes } = this.#parts
    const quota = this.quotaOf(accountId)
    if (!isLimited(quota)) return { hasRoom: true }
    const delivery = { accountId, ...(copyId !== undefined && { deliveryId: copyId }) }
    const used = await mailboxes.usage(delivery)
    const more = { bytes: Math.max(1, sizeBytes), messages: 1 }
    if (used.isDelivered === true || !isOver(used, more, quota)) return { hasRoom: true }
    // A script may send it elsewhere: whether anything is filed is known once it has run.
    if ((await mailboxes.script({ accountId })).script !== undefined) return { hasRoom: true }
    const { notice } = await mailboxes.noteRefused({ accountId })
    if (notice !== undefined) this.#tell(accountId, notice)
    return { hasRoom: false }
  }

  readonly commit: MailboxStore['commit'] = async (request) => {
    const turns = new Turns()
    const commits: AccountCommit[] = []
    for (const commit of request.commits) {
      if (turns.isOver) await turns.next()
      commits.push({ ...commit, quota: this.quotaOf(commit.accountId) })
    }
    const done = await this.#parts.mailboxes.commit({ ...request, commits })
    for (const [index, result] of done.results.entries())
      if (result.kind !== 'duplicate' && result.notice !== undefined)
        this.#tell(commits[index]!.accountId, result.notice)
    return done
  }

  constructor(parts: QuotaParts) {
    this.#parts = parts
    this.mailboxes = asked(parts.mailboxes, this)
  }

  /** Waits for what is being told. */
  async idle(): Promise<void> {
    while (this.#telling.size > 0) await Promise.all(this.#telling.values())
  }

  /** Nobody waits for it: a delivery is done without. */
  #tell(accountId: AccountId, notice: QuotaNotice): void {
    if (this.#telling.has(accountId)) return
    const work = this.#append(accountId, notice)
      .catch((cause: unknown) => {
        this.#parts.log.warn('quota.notTold', { accountId, notice, cause: messageOf(cause) })
      })
      .finally(() => this.#telling.delete(accountId))
    this.#telling.set(accountId, work)
  }

  async #append(accountId: AccountId, notice: QuotaNotice): Promise<void> {
    const { mailboxes, directory, clock, events, newId } = this.#parts
    const account = directory.account(accountId)
    if (account === undefined) return
    const quota = this.quotaOf(accountId)
    const used = await mailboxes.usage({ accountId })
    const nowMs = clock.nowMs()
    const to = mainAddressOf(account)
    const octets = quotaMail({ notice, to, quota, used, id: newId(), nowMs })
    const append = {
      kind: 'append',
      mailbox: { path: ['INBOX'], create: true },
      content: 0,
      flags: 0,
      keywords: [],
      internalDateMs: nowMs,
    } as const
    const { results } = await mailboxes.commit({
      contents: [{ octets: [octets] }],
      commits: [{ accountId, changes: [append], notice }],
    })
    if (results[0]?.kind !== 'committed') return
    const fields = { accountId, usedBytes: used.bytes, usedMessages: used.messages }
    events.emit({ atMs: nowMs, name: notice === 'near' ? 'quota.near' : 'quota.refused', fields })
  }
}

export type AskedMailboxes = MailboxStore &
  Required<Pick<DeliveryMailboxes, 'hasRoom' | 'annotations'>>

/** The store as deliveries ask it: commits go by the quotas; its other calls are its own. */
const asked = (
  mailboxes: MailboxStore,
  { commit, hasRoom }: Pick<Quotas, 'commit' | 'hasRoom'>,
): AskedMailboxes => {
  const annotations: AskedMailboxes['annotations'] = async ({ accountId }) => ({
    annotations: await annotationsOf(mailboxes, accountId),
  })
  return overlaid(mailboxes, { commit, hasRoom, annotations })
}
