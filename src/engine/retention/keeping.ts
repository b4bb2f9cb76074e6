import { assertNever, err, Fault, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { decodeWords } from '#codec/mime/encoded-word.ts'
import type { AccountId } from '#model/account.ts'
import type { AclEntry } from '#model/acl.ts'
import type { EmailId, MailboxId, MailboxPath, SpecialUse } from '#model/mailbox.ts'
import type { Usage } from '#model/quota.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'
import type { DamagedMessage } from '#store/mailbox/upkeep/damaged.ts'
import type { ExpiredMailbox } from '#store/mailbox/upkeep/expire.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import type { MailboxRow, Retention } from '#store/mailbox/mailbox-view.ts'
import { storedMetas } from '#store/mailbox/meta-records.ts'
import type { ExpungedEmail } from '#store/mailbox/stored-email.ts'
import type { Recounted, RecountedMailbox } from '#store/mailbox/upkeep/recount.ts'

/** A mailbox as an administrator sees it. */
export interface KeptMailbox {
  readonly path: MailboxPath
  readonly use?: SpecialUse
  readonly messages: number
  readonly unseen: number
  readonly sizeBytes: number
  /** In force; absent: for ever. */
  readonly retainDays?: number
  readonly retention: Retention
}

/** What can come back, with what people know it by. */
export interface GoneEmail extends Pick<
  ExpungedEmail,
  'emailId' | 'path' | 'goneAtMs' | 'sizeBytes'
> {
  readonly subject: string
  readonly from: string
}

export interface KeepingRefusal {
  readonly code: 'notFound' | 'limit'
  readonly message: string
}

/** What was counted wrong, by how much each was too high. */
export interface RecountedKept {
  readonly sums: Pick<Recounted, 'bytes' | 'messages'>
  readonly mailboxes: readonly (Omit<RecountedMailbox, 'mailboxId'> & {
    readonly path: MailboxPath
  })[]
}

interface Since {
  readonly accountId: AccountId
  readonly sinceMs: number
  /** Only what would come back into this mailbox. */
  readonly path?: MailboxPath
}

/** Plain arguments and answers, so that a node call can carry them. */
export interface Keeping {
  list(ask: { readonly accountId: AccountId }): Promise<readonly KeptMailbox[]>
  /** Who else may do what in the mailbox; its owner may do everything, and stands in no entry. */
  acl(ask: {
    readonly accountId: AccountId
    readonly path: MailboxPath
  }): Promise<Outcome<readonly AclEntry[], KeepingRefusal>>
  /** Gives somebody these rights and no others; without any the entry goes. All entries then. */
  grant(
    ask: { readonly accountId: AccountId; readonly path: MailboxPath } & AclEntry,
  ): Promise<Outcome<readonly AclEntry[], KeepingRefusal>>
  retain(ask: {
    readonly accountId: AccountId
    readonly path: MailboxPath
    readonly retention: Retention
  }): Promise<Outcome<KeptMailbox, KeepingRefusal>>
  /** Part of a run over all accounts, of a second or so; `next` goes on from there. Without a time: now. */
  expire(ask: {
    readonly asOfMs?: number
    readonly dryRun: boolean
    readonly after?: string
  }): Promise<{
    readonly expired: readonly ExpiredMailbox[]
    readonly looked: number
    readonly next?: string
  }>
  /** Messages that cannot be read, as the last looks at all octets found; at most 1,000. */
  damaged(): Promise<readonly DamagedMessage[]>
  /** A page, the first that came first. */
  gone(ask: Since & { readonly after?: EmailId }): Promise<{
    readonly emails: readonly GoneEmail[]
    readonly next?: EmailId
  }>
  /** Counts an account's mailboxes anew at once, which makes right what was wrong. */
  recount(ask: { readonly accountId: AccountId }): Promise<RecountedKept>
  /** What each of them holds, in their order; at most USAGES_MAX. */
  usages(ask: { readonly accountIds: readonly AccountId[] }): Promise<readonly Usage[]>
  /** Brings a page of them back; `next` goes on from there. */
  undelete(
    ask: Since & { readonly after?: EmailId },
  ): Promise<Outcome<{ readonly restored: number; readonly next?: EmailId }, KeepingRefusal>>
}

const PAGE = 200
const STEP_MS = SECOND_MS
const STEP_MESSAGES = 10_000

/** What mailboxes keep, for how long, and what comes back. */
export function keepingOf(
  mailboxes: Pick<
    MailboxStore,
    | 'mailboxes'
    | 'acl'
    | 'commit'
    | 'expire'
    | 'trustClock'
    | 'damaged'
    | 'expunged'
    | 'metas'
    | 'recount'
    | 'usage'
  >,
  clock: Clock,
): Keeping {
  const page = async ({
    accountId,
    sinceMs,
    path,
    after,
  }: Since & { readonly after?: EmailId }) => {
    const ask = { accountId, sinceMs, limit: PAGE, ...(after !== undefined && { after }) }
    const { emails } = await mailboxes.expunged(ask)
    const next = emails.length < PAGE ? undefined : emails.at(-1)!.emailId
    return {
      emails: path === undefined ? emails : emails.filter((email) => isSame(email.path, path)),
      ...(next !== undefined && { next }),
    }
  }
  return {
    list: async (ask) => (await mailboxes.mailboxes(ask)).mailboxes.filter(isReal).map(kept),

    async acl({ accountId, path }) {
      const found = await named(mailboxes, { accountId, path })
      return found.ok ? ok(await entriesOf(mailboxes, accountId, found.value.id)) : found
    },

    async grant({ accountId, path, who, rights }) {
      const found = await named(mailboxes, { accountId, path })
      if (!found.ok) return found
      const { id } = found.value
      const change = { kind: 'grant', mailboxId: id, who, rights, mode: 'replace' } as const
      const changed = await changing(mailboxes, { accountId, change })
      return changed.ok ? ok(await entriesOf(mailboxes, accountId, id)) : changed
    },

    async retain({ accountId, path, retention }) {
      const found = await named(mailboxes, { accountId, path })
      if (!found.ok) return found
      const row = found.value
      const change = { kind: 'retain', mailboxId: row.id, retention } as const
      const changed = await changing(mailboxes, { accountId, change })
      if (!changed.ok) return changed
      if (changed.value.kind !== 'mailbox') throw new Error('retain answered otherwise')
      return ok(kept(changed.value.mailbox))
    },

    async expire({ asOfMs = clock.nowMs(), dryRun, after }) {
      const endMs = clock.monotonicMs() + STEP_MS
      const expired = new Map<string, ExpiredMailbox>()
      let looked = 0
      let messages = 0
      let next = after
      do {
        const ask = {
          asOfMs,
          dryRun,
          limit: STEP_MESSAGES,
          ...(next !== undefined && { after: next }),
        }
        const step = await mailboxes.expire(ask)
        for (const each of step.expired) {
          const before = expired.get(each.mailboxId)?.messages ?? 0
          expired.set(each.mailboxId, { ...each, messages: before + each.messages })
          messages += each.messages
        }
        looked += step.looked
        next = step.next
      } while (next !== undefined && messages < STEP_MESSAGES && clock.monotonicMs() < endMs)
      // An administrator's run says that the clock is right.
      if (next === undefined && !dryRun) await mailboxes.trustClock()
      return { expired: [...expired.values()], looked, ...(next !== undefined && { next }) }
    },

    damaged: async () => (await mailboxes.damaged()).messages,

    async recount({ accountId }) {
      const { recounted } = await mailboxes.recount({ accountId })
      const wrong = recounted.find((each) => each.accountId === accountId)
      if (wrong === undefined) return { sums: { bytes: 0, messages: 0 }, mailboxes: [] }
      const rows = (await mailboxes.mailboxes({ accountId })).mailboxes
      return {
        sums: { bytes: wrong.bytes, messages: wrong.messages },
        mailboxes: wrong.mailboxes.map(({ mailboxId, ...counts }) => ({
          // One that was deleted meanwhile is known by its id.
          path: rows.find(({ id }) => id === mailboxId)?.path ?? [mailboxId],
          ...counts,
        })),
      }
    },

    usages: ({ accountIds }) =>
      Promise.all(
        accountIds.map(async (accountId) => {
          const { bytes, messages } = await mailboxes.usage({ accountId })
          return { bytes, messages }
        }),
      ),

    async gone(ask) {
      const { emails, next } = await page(ask)
      return {
        emails: await described(mailboxes, ask.accountId, emails),
        ...(next !== undefined && { next }),
      }
    },

    async undelete(ask) {
      const { emails, next } = await page(ask)
      const emailIds = emails.map(({ emailId }) => emailId)
      const change = { kind: 'restore', emailIds } as const
      const changed = await changing(mailboxes, { accountId: ask.accountId, change })
      if (!changed.ok) return changed
      if (changed.value.kind !== 'restore') throw new Error('restore answered otherwise')
      return ok({ restored: changed.value.restored, ...(next !== undefined && { next }) })
    },
  }
}

async function named(
  mailboxes: Pick<MailboxStore, 'mailboxes'>,
  { accountId, path }: { readonly accountId: AccountId; readonly path: MailboxPath },
): Promise<Outcome<MailboxRow, KeepingRefusal>> {
  const rows = (await mailboxes.mailboxes({ accountId })).mailboxes
  const row = rows.find((each) => isReal(each) && isSame(each.path, path))
  return row === undefined
    ? err({ code: 'notFound', message: `there is no mailbox ${path.join('/')}` })
    : ok(row)
}

const entriesOf = async (
  mailboxes: Pick<MailboxStore, 'acl'>,
  accountId: AccountId,
  mailboxId: MailboxId,
): Promise<readonly AclEntry[]> => (await mailboxes.acl({ accountId, mailboxId })).entries ?? []

const isReal = ({ noSelect }: MailboxRow): boolean => !noSelect

const isSame = (a: MailboxPath, b: MailboxPath): boolean =>
  a.length === b.length &&
  a.every((name, depth) => name === b[depth]!.normalize('NFC') || isInbox(name, b[depth]!, depth))

const isInbox = (name: string, other: string, depth: number): boolean =>
  depth === 0 && name === 'INBOX' && other.toUpperCase() === 'INBOX'

const kept = (row: MailboxRow): KeptMailbox => ({
  path: row.path,
  ...(row.use !== undefined && { use: row.use }),
  messages: row.messages,
  unseen: row.unseen,
  sizeBytes: row.sizeBytes,
  ...(row.retainDays !== undefined && { retainDays: row.retainDays }),
  retention: row.retention,
})

async function changing(
  mailboxes: Pick<MailboxStore, 'commit'>,
  { accountId, change }: { readonly accountId: AccountId; readonly change: MailboxChange },
) {
  const { results } = await mailboxes.commit({
    contents: [],
    commits: [{ accountId, changes: [change] }],
  })
  const result = results[0]!
  switch (result.kind) {
    case 'committed':
      return ok(result.results[0]!)
    case 'refused': {
      const code = result.refusal.code === 'noMailbox' ? 'notFound' : 'limit'
      return err<KeepingRefusal>({ code, message: result.refusal.text })
    }
    case 'duplicate':
      throw new Fault('corrupt', 'a commit without delivery id was a duplicate')
    default:
      return assertNever(result)
  }
}

/** Subject and sender, from where each lay last. */
async function described(
  mailboxes: Pick<MailboxStore, 'metas'>,
  accountId: AccountId,
  emails: readonly ExpungedEmail[],
): Promise<GoneEmail[]> {
  const texts = new Map<EmailId, { readonly subject: string; readonly from: string }>()
  for (const [mailboxId, group] of Map.groupBy(emails, (email) => email.mailboxId)) {
    const uids = group.map(({ uid }) => uid)
    let index = 0
    for await (const stored of storedMetas(mailboxes, { accountId, mailboxId, uids })) {
      const envelope = stored?.meta.envelope
      const from = envelope?.from?.[0]
      texts.set(group[index++]!.emailId, {
        subject: decodeWords(envelope?.subject ?? ''),
        from: from === undefined ? '' : decodeWords(from.name ?? `${from.mailbox}@${from.host}`),
      })
    }
  }
  return emails.map(({ emailId, path, goneAtMs, sizeBytes }) => ({
    emailId,
    path,
    goneAtMs,
    sizeBytes,
    ...(texts.get(emailId) ?? { subject: '', from: '' }),
  }))
}
