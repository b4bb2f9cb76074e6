import type { Clock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type {
  MailboxRef,
  AccountCommit,
  AccountCommitResult,
  Operation,
} from '#store/mailbox/commit.ts'
import type { ChangeResult, CommitRequest, MailboxChange } from '#store/mailbox/commit.ts'
import { MESSAGES_AT_ONCE } from '#store/mailbox/commit.ts'
import type { Uid } from '#model/mailbox.ts'
import type { GroupCommit } from '#store/db/group-commit.ts'
import type { StoreChanged } from '#store/mailbox/mailbox-view.ts'
import { pick, tallyPicked } from '#store/mailbox/rows/pick.ts'
import { Refusal } from '#store/mailbox/rows/refusal.ts'
import { mailboxByMid } from '#store/mailbox/rows/row.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'
import { findAccount, mailboxIdOf, midOf, saveAccount } from '#store/mailbox/rows/work.ts'
import { applyCommits, toldOf } from './apply.ts'
import { expunge } from './expunge.ts'
import { noteOperation } from './operation.ts'
import { requireRoom } from './quota.ts'

type Transfer = Extract<MailboxChange, { kind: 'copy' | 'move' }>
type Transferred = Extract<ChangeResult, { kind: 'copy' | 'move' }>

/** Copies of one step, a row of table `copying` while the last step is still to come. */
interface Range {
  readonly aid: number
  readonly mid: number
  readonly first: number
  readonly last: number
}

interface Parts {
  readonly sql: Sql
  readonly group: GroupCommit
  readonly clock: Clock
  readonly onChange: (change: StoreChanged) => void
}

/**
 * Copies and moves of thousands, in steps that others get between. A copy is there whole or not at all
 * for who asked (RFC 9051 §6.4.7: the destination is then as it was, but for its UIDNEXT): what it has
 * copied so far is named in the database until its last step, and taken back where that does not come,
 * be it by a refusal, a disk or a crash. A move stands as far as it has come: each message is in one
 * of the two mailboxes (RFC 6851 §3.3).
 */
export class LongTransfers {
  readonly #parts: Parts
  /** Of copies that have failed. */
  #leftovers: Range[]

  constructor(parts: Parts) {
    this.#parts = parts
    this.#leftovers = parts.sql
      .all<[number, number, number, number]>('SELECT aid, mid, first_uid, last_uid FROM copying')
      .map(([aid, mid, first, last]) => ({ aid, mid, first, last }))
  }

  /** Undefined where the request is anything else, or small. */
  commit(request: CommitRequest): Promise<AccountCommitResult> | undefined {
    const found = longTransfer(request)
    return found && this.#run(found.commit, found.change, request.operation)
  }

  /** Takes back what an earlier life has left, or what could not be taken back before. Throws Fault `io`, `full`. */
  async undo(): Promise<void> {
    const { group, onChange } = this.#parts
    for (let range = this.#leftovers.at(-1); range !== undefined; range = this.#leftovers.at(-1)) {
      const taken = range
      const told = await group.commit({ apply: () => this.#takeBack(taken) })
      this.#leftovers = this.#leftovers.filter((each) => each !== taken)
      for (const change of told) onChange(change)
    }
  }

  async #run(
    commit: AccountCommit,
    change: Transfer,
    operation: Operation | undefined,
  ): Promise<AccountCommitResult> {
    const { group, clock, onChange } = this.#parts
    const uids = Uint32Array.from(new Set(change.uids)).sort()
    const nowMs = clock.nowMs()
    const copied: Range[] = []
    const steps: Transferred[] = []
    let to = change.to
    for (let at = 0; ; at += MESSAGES_AT_ONCE) {
      const some = Array.from(uids.subarray(at, at + MESSAGES_AT_ONCE)) as Uid[]
      const step = { ...commit, changes: [{ ...change, uids: some, to }] }
      const rest = Array.from(uids.subarray(at + MESSAGES_AT_ONCE)) as Uid[]
      let result: AccountCommitResult
      try {
        const apply = () => {
          const applied = applyCommits(this.#parts.sql, nowMs, [step], { contents: [], outbox: [] })
          const [first] = applied.results
          if (first?.kind === 'committed' && change.kind === 'copy') {
            if (at === 0) this.#requireRoomFor(commit, { ...change, uids: rest })
            this.#note(commit.accountId, first, { copied, isLast: rest.length === 0 })
          }
          if (rest.length === 0 && operation !== undefined && first?.kind === 'committed') {
            const last = first.results[0] as Transferred
            const whole = { ...first, results: [joined([...steps, last])] }
            noteOperation(this.#parts.sql, operation, { ...applied, results: [whole] })
          }
          return applied
        }
        // Until its last step it is taken back where that does not come.
        const untilMs = rest.length === 0 ? operation?.untilMs : undefined
        const applied = await group.commit({ apply, ...(untilMs !== undefined && { untilMs }) })
        result = applied.results[0]!
        for (const told of applied.changes) onChange(told)
      } catch (thrown) {
        await this.#abandon(copied)
        if (thrown instanceof Refusal) return { kind: 'refused', refusal: thrown.refusal }
        throw thrown
      }
      if (result.kind !== 'committed') {
        await this.#abandon(copied)
        return result
      }
      const made = result.results[0] as Transferred
      steps.push(made)
      to = { id: made.mailboxId } satisfies MailboxRef
      if (rest.length === 0) return { ...result, results: [joined(steps)] }
    }
  }

  /** Before more of it is there: a copy that will not fit must not keep mail out meanwhile. */
  #requireRoomFor(commit: AccountCommit, rest: Transfer): void {
    const work = findAccount(this.#parts.sql, commit.accountId, 0)
    const from = work && midOf(work.tag, rest.from)
    if (work === undefined || from === undefined || commit.quota === undefined) return
    pick(work, from, rest.uids)
    requireRoom(work, commit.quota, tallyPicked(work, from))
  }

  /** In the step's own transaction. */
  #note(
    accountId: AccountId,
    result: AccountCommitResult & { readonly kind: 'committed' },
    { copied, isLast }: { readonly copied: Range[]; readonly isLast: boolean },
  ): void {
    const { sql } = this.#parts
    if (isLast) {
      for (const range of copied) this.#forget(range)
      return
    }
    const { mailboxId, targets } = result.results[0] as Transferred
    const { aid, tag } = findAccount(sql, accountId, 0)!
    if (targets.length === 0) return
    const range = { aid, mid: midOf(tag, mailboxId)!, first: targets[0]!, last: targets.at(-1)! }
    sql.run('INSERT INTO copying VALUES (?, ?, ?, ?)', aid, range.mid, range.first, range.last)
    copied.push(range)
  }

  #forget({ aid, mid, first }: Range): void {
    this.#parts.sql.run(
      'DELETE FROM copying WHERE aid = ? AND mid = ? AND first_uid = ?',
      aid,
      mid,
      first,
    )
  }

  /** Where the disk does not let it, the next trial does, or the next start. */
  async #abandon(copied: readonly Range[]): Promise<void> {
    this.#leftovers.push(...copied)
    await this.undo().catch(() => undefined)
  }

  #takeBack(range: Range): readonly StoreChanged[] {
    const { sql, clock } = this.#parts
    this.#forget(range)
    const [accountId] =
      sql.get<[AccountId]>('SELECT id FROM account WHERE aid = ?', range.aid) ?? []
    const work = accountId && findAccount(sql, accountId, clock.nowMs())
    const row = work && mailboxByMid(work, range.mid)
    if (work === undefined || row === undefined) return [] // gone with all that was in it
    const uids = Array.from({ length: range.last - range.first + 1 }, (_, n) => range.first + n)
    const mailboxId = mailboxIdOf(work.tag, range.mid)
    expunge(work, row, { kind: 'expunge', mailboxId, uids: uids as Uid[], deletedOnly: false })
    saveAccount(work)
    return toldOf(work)
  }
}

function longTransfer(
  request: CommitRequest,
): { readonly commit: AccountCommit; readonly change: Transfer } | undefined {
  const [commit, ...others] = request.commits
  const [change, ...more] = commit?.changes ?? []
  if (commit === undefined || change === undefined || others.length > 0 || more.length > 0)
    return undefined
  if (change.kind !== 'copy' && change.kind !== 'move') return undefined
  const isPlain =
    commit.deliveryId === undefined && commit.notice === undefined && commit.outbox === undefined
  const isWithin = change.fromAccount === undefined || change.fromAccount === commit.accountId
  return isPlain && isWithin && change.uids.length > MESSAGES_AT_ONCE
    ? { commit, change }
    : undefined
}

function joined(steps: readonly Transferred[]): Transferred {
  const all = (name: 'sources' | 'targets'): Uint32Array => {
    const uids = new Uint32Array(steps.reduce((sum, step) => sum + step[name].length, 0))
    let at = 0
    for (const step of steps) {
      uids.set(step[name], at)
      at += step[name].length
    }
    return uids
  }
  return { ...steps.at(-1)!, sources: all('sources'), targets: all('targets') }
}
