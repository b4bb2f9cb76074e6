import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import type { AccountId } from '#model/account.ts'
import type { MailboxId, Uid } from '#model/mailbox.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import type { MailboxRow } from '#store/mailbox/mailbox-view.ts'

const READ_BYTES = 256 * 1024
const IDS_PER_CALL = 1_000
/** RFC 1939 §7. */
const UIDL = /^[\x21-\x7e]{1,70}$/

/** One mailbox as it was at login. */
interface Shown {
  readonly mailboxId: MailboxId
  /** The number of its first message. */
  readonly first: number
  readonly uids: Uint32Array
  readonly sizes: Float64Array
}

/** A message's mailbox and where it stands in it. */
interface Place {
  readonly shown: Shown
  readonly index: number
}

/**
 * The maildrop as it was at login (RFC 1939 §5): numbers stay, deletions wait for QUIT. INBOX comes
 * first in the order of its UIDs; where Junk is shown it and each mailbox below it follow likewise,
 * so that junk moves no number of INBOX.
 */
export class Maildrop {
  readonly deleted = new Set<number>()
  /** Days for which all that it shows is kept at least; undefined where nothing goes by itself. */
  readonly retainDays: number | undefined
  readonly length: number
  readonly #store: MailboxStore
  readonly #accountId: AccountId
  readonly #shown: readonly Shown[]
  readonly #sizeBytes: number

  private constructor(
    store: MailboxStore,
    accountId: AccountId,
    all: { readonly shown: readonly Shown[]; readonly retainDays: number | undefined },
  ) {
    this.#store = store
    this.#accountId = accountId
    this.#shown = all.shown
    this.retainDays = all.retainDays
    this.length = all.shown.reduce((sum, { uids }) => sum + uids.length, 0)
    this.#sizeBytes = all.shown.reduce(
      (sum, { sizes }) => sizes.reduce((some, size) => some + size, sum),
      0,
    )
  }

  static async open(
    store: MailboxStore,
    of: { readonly accountId: AccountId; readonly withJunk: boolean },
  ): Promise<Maildrop> {
    const { accountId } = of
    const { mailboxes } = await store.mailboxes({ accountId })
    const shown: Shown[] = []
    const days: number[] = []
    let first = 1
    for (const mailbox of [...inboxOf(mailboxes), ...(of.withJunk ? junkOf(mailboxes) : [])]) {
      const view = await store.view({ accountId, mailboxId: mailbox.id })
      if (view === undefined) continue // deleted meanwhile
      const { uids, sizes } = view
      shown.push({ mailboxId: mailbox.id, first, uids, sizes })
      if (mailbox.retainDays !== undefined) days.push(mailbox.retainDays)
      first += uids.length
    }
    if (shown.length === 0) throw new Fault('notFound', 'no INBOX')
    return new Maildrop(store, accountId, {
      shown,
      retainDays: days.length === 0 ? undefined : Math.min(...days),
    })
  }

  /** From 1, as POP3 counts; deleted ones are not there. */
  has(number: number): boolean {
    return number >= 1 && number <= this.length && !this.deleted.has(number)
  }

  sizeOf(number: number): number {
    const { shown, index } = this.#place(number)
    return shown.sizes[index]!
  }

  /** Of the messages that are not deleted. */
  total(): { readonly count: number; readonly sizeBytes: number } {
    let sizeBytes = this.#sizeBytes
    for (const number of this.deleted) sizeBytes -= this.sizeOf(number)
    return { count: this.length - this.deleted.size, sizeBytes }
  }

  *numbers(): Generator<number> {
    for (let number = 1; number <= this.length; number++) if (this.has(number)) yield number
  }

  /** The unique ids as they are stored with the messages (RFC 1939 §7), some at a time, one call ahead. */
  async *uidls(): AsyncGenerator<{ readonly first: number; readonly uidls: readonly string[] }> {
    const asks = this.#shown.flatMap((shown) =>
      Array.from({ length: Math.ceil(shown.uids.length / IDS_PER_CALL) }, (_, call) => ({
        shown,
        from: call * IDS_PER_CALL,
      })),
    )
    let coming: Promise<string[]> | undefined
    for (const [at, { shown, from }] of asks.entries()) {
      const uidls = await (coming ?? this.#uidlsOf(shown, from, IDS_PER_CALL))
      const next = asks[at + 1]
      coming = next && this.#uidlsOf(next.shown, next.from, IDS_PER_CALL)
      coming?.catch(() => undefined) // awaited after these were written
      yield { first: shown.first + from, uidls }
    }
  }

  async uidlOf(number: number): Promise<string> {
    const { shown, index } = this.#place(number)
    const [uidl] = await this.#uidlsOf(shown, index, 1)
    return uidl!
  }

  async #uidlsOf({ mailboxId, uids }: Shown, from: number, count: number): Promise<string[]> {
    const asked = Array.from(uids.subarray(from, from + count)) as Uid[]
    const { ids } = await this.#store.ids({ accountId: this.#accountId, mailboxId, uids: asked })
    // What is gone meanwhile, or brought an id that POP3 cannot say, has a name that no other has.
    return asked.map((uid, index) => {
      const uidl = ids[index]?.uidl
      return uidl !== undefined && UIDL.test(uidl) ? uidl : `${mailboxId}.${uid}`
    })
  }

  #place(number: number): Place {
    const shown = this.#shown.findLast(({ first }) => first <= number)!
    return { shown, index: number - shown.first }
  }

  /** The message's octets in pieces, one read ahead; nothing where it is gone. */
  async *read(number: number): AsyncGenerator<Octets> {
    const { shown, index } = this.#place(number)
    const uid = shown.uids[index]! as Uid
    const size = shown.sizes[index]!
    const piece = async (offset: number): Promise<Octets | undefined> => {
      const { octets } = await this.#store.read({
        accountId: this.#accountId,
        mailboxId: shown.mailboxId,
        uid,
        offset,
        length: Math.min(READ_BYTES, size - offset),
      })
      return octets
    }
    let coming = piece(0)
    for (let offset = 0; ;) {
      const octets = await coming
      if (octets === undefined || (octets.length === 0 && offset < size))
        throw new Fault('notFound', 'the message is gone')
      offset += octets.length
      if (offset < size) {
        coming = piece(offset)
        coming.catch(() => undefined) // awaited after the piece before it was written
      }
      yield octets
      if (offset >= size) return
    }
  }

  /**
   * Removes what was deleted: of each mailbox all or nothing, in one request. One that has been
   * deleted itself is no obstacle: its messages went with it.
   */
  async update(): Promise<boolean> {
    if (this.deleted.size === 0) return true
    const uids = new Map<MailboxId, Uid[]>()
    for (const number of [...this.deleted].toSorted((a, b) => a - b)) {
      const { shown, index } = this.#place(number)
      const some = uids.get(shown.mailboxId) ?? []
      some.push(shown.uids[index]! as Uid)
      uids.set(shown.mailboxId, some)
    }
    const { results } = await this.#store.commit({
      contents: [],
      commits: Array.from(uids, ([mailboxId, some]) => ({
        accountId: this.#accountId,
        changes: [{ kind: 'expunge', mailboxId, uids: some, deletedOnly: false }],
      })),
    })
    return results.every(
      (result) =>
        result.kind === 'committed' ||
        (result.kind === 'refused' && result.refusal.code === 'noMailbox'),
    )
  }
}

const inboxOf = (mailboxes: readonly MailboxRow[]): MailboxRow[] =>
  mailboxes.filter(({ path }) => path.length === 1 && path[0] === 'INBOX')

/** Parents before children. */
function junkOf(mailboxes: readonly MailboxRow[]): MailboxRow[] {
  const junk = mailboxes.find(({ use }) => use === 'junk')
  return mailboxes.filter(
    ({ path, noSelect }) => !noSelect && junk?.path.every((name, depth) => path[depth] === name),
  )
}
