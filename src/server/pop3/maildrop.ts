import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import type { AccountId } from '#model/account.ts'
import type { MailboxId, Uid } from '#model/mailbox.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'

const READ_BYTES = 256 * 1024
const IDS_PER_CALL = 1_000

/** INBOX as it was at login (RFC 1939 §5): numbers stay, deletions wait for QUIT. */
export class Maildrop {
  readonly deleted = new Set<number>()
  readonly #store: MailboxStore
  readonly #accountId: AccountId
  readonly #mailboxId: MailboxId
  readonly #uids: Uint32Array
  readonly #sizes: Float64Array
  #uidls: string[] | undefined

  private constructor(
    store: MailboxStore,
    where: { readonly accountId: AccountId; readonly mailboxId: MailboxId },
    rows: { readonly uids: Uint32Array; readonly sizes: Float64Array },
  ) {
    this.#store = store
    this.#accountId = where.accountId
    this.#mailboxId = where.mailboxId
    this.#uids = rows.uids
    this.#sizes = rows.sizes
  }

  static async open(store: MailboxStore, accountId: AccountId): Promise<Maildrop> {
    const { mailboxes } = await store.mailboxes({ accountId })
    const inbox = mailboxes.find(({ path }) => path.length === 1 && path[0] === 'INBOX')
    const view =
      inbox === undefined ? undefined : await store.view({ accountId, mailboxId: inbox.id })
    if (inbox === undefined || view === undefined) throw new Fault('notFound', 'no INBOX')
    return new Maildrop(store, { accountId, mailboxId: inbox.id }, view)
  }

  get length(): number {
    return this.#uids.length
  }

  /** From 1, as POP3 counts; deleted ones are not there. */
  has(number: number): boolean {
    return number >= 1 && number <= this.length && !this.deleted.has(number)
  }

  sizeOf(number: number): number {
    return this.#sizes[number - 1]!
  }

  /** Of the messages that are not deleted. */
  total(): { readonly count: number; readonly sizeBytes: number } {
    let sizeBytes = 0
    for (const size of this.#sizes) sizeBytes += size
    for (const number of this.deleted) sizeBytes -= this.sizeOf(number)
    return { count: this.length - this.deleted.size, sizeBytes }
  }

  *numbers(): Generator<number> {
    for (let number = 1; number <= this.length; number++) if (this.has(number)) yield number
  }

  /** The unique ids as they are stored with the messages (RFC 1939 §7 UIDL). */
  async uidls(): Promise<readonly string[]> {
    if (this.#uidls !== undefined) return this.#uidls
    const all: string[] = []
    for (let at = 0; at < this.length; at += IDS_PER_CALL) {
      const uids = Array.from(this.#uids.subarray(at, at + IDS_PER_CALL)) as Uid[]
      const { ids } = await this.#store.ids({
        accountId: this.#accountId,
        mailboxId: this.#mailboxId,
        uids,
      })
      // What another client expunged meanwhile keeps a name of its own, so that no other moves up.
      for (const [index, uid] of uids.entries()) all.push(ids[index]?.uidl ?? `gone.${uid}`)
    }
    this.#uidls = all
    return all
  }

  /** The message's octets in pieces, one read ahead; nothing where it is gone. */
  async *read(number: number): AsyncGenerator<Octets> {
    const uid = this.#uids[number - 1]! as Uid
    const size = this.sizeOf(number)
    const piece = async (offset: number): Promise<Octets | undefined> => {
      const { octets } = await this.#store.read({
        accountId: this.#accountId,
        mailboxId: this.#mailboxId,
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

  /** Removes what was deleted, all or nothing. */
  async update(): Promise<boolean> {
    if (this.deleted.size === 0) return true
    const uids = [...this.deleted]
      .toSorted((a, b) => a - b)
      .map((number) => this.#uids[number - 1]! as Uid)
    const { results } = await this.#store.commit({
      contents: [],
      commits: [
        {
          accountId: this.#accountId,
          changes: [{ kind: 'expunge', mailboxId: this.#mailboxId, uids, deletedOnly: false }],
        },
      ],
    })
    return results[0]?.kind === 'committed'
  }
}
