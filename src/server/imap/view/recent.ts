import type { MailboxId, Uid } from '#model/mailbox.ts'
import type { MailboxRow } from '#store/mailbox/mailbox-view.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import type { Asked } from '#store/mailbox/rows/rights.ts'

/** Mailboxes whose claims are known here: storage has those of others, or will soon. */
const MAILBOXES_MAX = 100_000

/** UIDs from the first to below the second. */
interface UidRange {
  readonly from: number
  readonly to: number
}

/** UIDs that are recent in one session, ascending. */
export type RecentUids = readonly UidRange[]

export const isRecent = (recent: RecentUids, uid: number): boolean =>
  recent.some(({ from, to }) => from <= uid && uid < to)

/** With a further range, which lies above the others. */
export function joined(recent: RecentUids, come: UidRange): RecentUids {
  const last = recent.at(-1)
  if (last?.to !== come.from) return [...recent, come]
  return [...recent.slice(0, -1), { from: last.from, to: come.to }]
}

/**
 * Which messages are recent for whom (RFC 3501 §2.3.2): each for one session of those that have the
 * mailbox selected, the first that is told of it. All sessions are in this process; storage is told so
 * that a restart remembers, and nobody waits for that: what it misses is recent once more, as the RFC has it.
 */
export class RecentMarks {
  readonly #store: Pick<MailboxStore, 'commit'>
  readonly #marks = new Map<MailboxId, number>()

  constructor(store: Pick<MailboxStore, 'commit'>) {
    this.#store = store
  }

  /** The first UID that is recent for whoever comes next. */
  from({ id, recentFrom }: MailboxRow): Uid {
    return Math.max(recentFrom, this.#marks.get(id) ?? 0) as Uid
  }

  /** What is recent to a session that claims nothing: EXAMINE changes nothing (RFC 3501 §6.3.2). */
  look(row: MailboxRow): UidRange | undefined {
    const from = this.from(row)
    return from < row.uidNext ? { from, to: row.uidNext } : undefined
  }

  /** What is recent, for the caller alone from now on. */
  claim(asked: Asked, row: MailboxRow): UidRange | undefined {
    const come = this.look(row)
    if (come === undefined) return undefined
    const { to } = come
    this.#mark(row.id, to)
    const changes = [{ kind: 'claimRecent', mailboxId: row.id, before: to as Uid }] as const
    void this.#store
      .commit({ contents: [], commits: [{ ...asked, changes }] })
      .catch(() => undefined)
    return come
  }

  #mark(id: MailboxId, to: number): void {
    this.#marks.delete(id)
    this.#marks.set(id, to)
    for (const oldest of this.#marks.keys()) {
      if (this.#marks.size <= MAILBOXES_MAX) return
      this.#marks.delete(oldest)
    }
  }
}
