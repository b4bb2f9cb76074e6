import type { MailboxId, Uid } from '#model/mailbox.ts'
import type { Asked } from '#store/mailbox/rows/rights.ts'
import type { TextSource } from '#store/mailbox/text-source.ts'

type Ask = Asked & { readonly mailboxId: MailboxId }

/** Which email each message of a mailbox is, read when somebody first searches, and what is new then. */
export class EmailColumn {
  readonly #store: TextSource
  readonly #ask: Ask
  #uids = new Uint32Array(0)
  #emails = new Float64Array(0)
  #reading: Promise<void> | undefined

  constructor(store: TextSource, ask: Ask) {
    this.#store = store
    this.#ask = ask
  }

  /** The email number of each UID; UIDs ascend. NaN for one that was expunged before anybody asked. */
  async numbersOf(uids: readonly number[]): Promise<Float64Array> {
    if ((this.#uids.at(-1) ?? 0) < (uids.at(-1) ?? 0)) {
      this.#reading ??= this.#read().finally(() => (this.#reading = undefined))
      await this.#reading
    }
    const numbers = new Float64Array(uids.length).fill(Number.NaN)
    let at = 0
    for (const [index, uid] of uids.entries()) {
      while (at < this.#uids.length && this.#uids[at]! < uid) at++
      if (this.#uids[at] === uid) numbers[index] = this.#emails[at]!
    }
    return numbers
  }

  async #read(): Promise<void> {
    const aboveUid = (this.#uids.at(-1) ?? 0) as Uid | 0
    const { uids, emailNumbers } = await this.#store.emailNumbers({ ...this.#ask, aboveUid })
    const joined = new Uint32Array(this.#uids.length + uids.length)
    joined.set(this.#uids)
    joined.set(uids, this.#uids.length)
    const emails = new Float64Array(joined.length)
    emails.set(this.#emails)
    emails.set(emailNumbers, this.#emails.length)
    this.#uids = joined
    this.#emails = emails
  }
}
