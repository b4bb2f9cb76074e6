import { DAY_MS, HOUR_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { DirectoryReplica } from '#store/directory/replica.ts'
import { readRows } from '#store/directory/rows-text.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import type { PurgeRun } from '#store/mailbox/upkeep/purge-run.ts'
import { recurring } from './recurring.ts'

export interface PurgeParts {
  readonly mailboxes: Pick<
    MailboxStore,
    'keepAccounts' | 'purge' | 'lastExpiry' | 'lastPurge' | 'notePurge'
  >
  readonly replica: Pick<DirectoryReplica, 'load' | 'removed'>
  readonly clock: Clock
  /** How long expunged mail is kept; `isTold`: control has said so, it is no mere default. */
  readonly keptMs: () => Promise<{ readonly keptMs: number; readonly isTold: boolean }>
  readonly tell: (told: PurgeTold) => void
}

/** What an administrator has to know, with what to do. */
export interface PurgeTold {
  readonly name: 'store.purgeHeld' | 'store.accountsUnknown' | 'store.recounted'
  readonly fields: Readonly<Record<string, string | number>>
  readonly remedy: string
}

/** A start has other things to do first. */
const FIRST_MS = HOUR_MS
/** A clock that went on by more than this since the last run may be wrong: nothing comes back from a purge. */
const GAP_MS = 10 * DAY_MS
/** A clock that is ahead by less is followed so fast at most: whoever looks once a day has time to see it. */
const STEP_MS = 2 * DAY_MS

const PAGE_ROWS = 1_000

/**
 * Deletes once a day what was expunged so long ago, and accounts of which the directory's log has
 * told that long ago that they were removed. An account that is merely missing stays: the copy may be
 * old, half loaded or of another time. After a jump of the clock nothing goes until an administrator
 * says so (`watari mailbox expire`). Close it before the stores.
 */
export function purgeDaily(parts: PurgeParts): { close(): void } {
  const { mailboxes, clock, tell } = parts
  const times = { name: 'mailboxes.purge', firstMs: FIRST_MS, everyMs: DAY_MS }
  return recurring(clock, times, async (isClosed) => {
    const nowMs = clock.nowMs()
    const { run: last } = await mailboxes.lastPurge()
    const ranAtMs = last?.ranAtMs ?? (await mailboxes.lastExpiry()).ranAtMs
    if (ranAtMs !== undefined && nowMs - ranAtMs > GAP_MS) {
      tell({
        name: 'store.purgeHeld',
        fields: { lastRun: new Date(ranAtMs).toISOString() },
        remedy: 'look at the clock; then: watari mailbox expire',
      })
      return
    }
    await keepAccounts(parts, isClosed)
    const { keptMs, isTold } = await parts.keptMs()
    const run = runOf(
      { nowMs, keptMs: isTold ? keptMs : Math.max(keptMs, last?.keptMs ?? 0) },
      last,
    )
    // The store itself ends a purge that runs when it is closed.
    if (isClosed()) return
    await mailboxes.purge({ beforeMs: Math.min(nowMs, run.asOfMs) - run.keptMs })
    if (!isClosed()) await mailboxes.notePurge(run)
  })
}

/** By which time this run goes. A clock that was a little behind for a while makes no jump of it when it is put right. */
export function runOf(
  now: { readonly nowMs: number; readonly keptMs: number },
  last: PurgeRun | undefined,
): PurgeRun {
  const { nowMs, keptMs } = now
  if (last === undefined || nowMs < last.ranAtMs - GAP_MS)
    return { ranAtMs: nowMs, asOfMs: nowMs, keptMs }
  // Twice as fast as the clock: many starts on one day are no many days.
  const stepMs = Math.min(STEP_MS, 2 * Math.max(0, nowMs - last.ranAtMs))
  return {
    ranAtMs: Math.max(nowMs, last.ranAtMs),
    asOfMs: Math.max(last.asOfMs, Math.min(nowMs, last.asOfMs + stepMs)),
    keptMs,
  }
}

async function keepAccounts(
  { mailboxes, replica, tell }: PurgeParts,
  isClosed: () => boolean,
): Promise<void> {
  const [accountIds, { accountIds: removedIds }] = [
    await accountsOf(replica),
    await replica.removed(),
  ]
  if (isClosed()) return
  const { unknown } = await mailboxes.keepAccounts({ accountIds, removedIds })
  if (unknown > 0)
    tell({
      name: 'store.accountsUnknown',
      fields: { accounts: unknown },
      remedy:
        'the directory does not have them and never said that they were removed: nothing of them is deleted; look whether control has the whole directory',
    })
}

async function accountsOf(replica: PurgeParts['replica']): Promise<AccountId[]> {
  const ids: AccountId[] = []
  for (let after: number | undefined = 0; after !== undefined;) {
    const page: Awaited<ReturnType<DirectoryReplica['load']>> = await replica.load({
      after,
      limit: PAGE_ROWS,
    })
    for (const { row } of readRows(page)) {
      if (row.kind === 'account') ids.push(row.account.id)
      // It owns its archive as an account does.
      if (row.kind === 'list') ids.push(row.list.id)
    }
    after = page.next
  }
  return ids
}
