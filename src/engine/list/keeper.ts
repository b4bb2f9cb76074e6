import { isFault, messageOf } from '#base/outcome.ts'
import { MINUTE_MS } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { MailingList } from '#model/list.ts'
import type { StoreChanged } from '#store/mailbox/mailbox-view.ts'

import { takeBounce } from './bounces.ts'
import { takeCommand } from './command-work.ts'
import { takeAnswer } from './confirm.ts'
import { listMail } from './list-mail.ts'
import type { ListMail } from './list-mail.ts'
import type { ListParts } from './list-parts.ts'
import { ListStore } from './list-store.ts'
import { Moderation } from './moderation.ts'
import { takePost } from './post-work.ts'
import { forwardToOwners } from './owner-mail.ts'

/** After trouble, and for what no change told of: all lists are looked at again. */
const LOOK_EVERY_MS = MINUTE_MS

/**
 * Works on mail of lists, where their mailboxes are owned: takes what lies in Incoming, one mail of a
 * list after the other, so that numbers have no gaps. What it makes of a mail stands in one commit with
 * the mail's end; whoever dies before begins with it again.
 */
export class ListKeeper {
  readonly #parts: ListParts
  /** The end of what is being done for each list. */
  readonly #turns = new Map<AccountId, Promise<void>>()
  readonly #waiting = new Set<AccountId>()
  #cancel: (() => void) | undefined
  #isClosed = false

  constructor(parts: ListParts) {
    this.#parts = parts
  }

  /** Looks at all lists now, and again from time to time. */
  start(): void {
    if (this.#isClosed) return
    for (const { id } of this.#parts.directory.lists()) this.#wake(id)
    this.#cancel = this.#parts.clock.after(LOOK_EVERY_MS, () => this.start())
  }

  /** Something has changed in the mail store. */
  readonly changed = (change: StoreChanged): void => {
    if ('mailboxId' in change && this.#parts.directory.list(change.accountId) !== undefined)
      this.#wake(change.accountId)
  }

  /** Begins nothing more, and waits for what is being done. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancel?.()
    await Promise.all(this.#turns.values())
  }

  /** Does something for a list when nothing else is being done for it. Throws what the work throws. */
  inTurn<T>(id: AccountId, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(id) ?? Promise.resolve()
    const result = before.then(work)
    const turn = result.then(
      () => undefined,
      () => undefined,
    )
    this.#turns.set(id, turn)
    void turn.then(() => {
      if (this.#turns.get(id) === turn) this.#turns.delete(id)
    })
    return result
  }

  #wake(id: AccountId): void {
    if (this.#isClosed || this.#waiting.has(id)) return
    this.#waiting.add(id)
    this.inTurn(id, async () => {
      this.#waiting.delete(id)
      await this.#look(id)
    }).catch((thrown: unknown) => {
      this.#parts.log.warn('list.waiting', { list: id, cause: messageOf(thrown) })
    })
  }

  async #look(id: AccountId): Promise<void> {
    const list = this.#parts.directory.list(id)
    if (list === undefined) return
    const store = new ListStore(this.#parts.mailboxes, id)
    const { incoming, held } = await store.rows()
    if (held !== undefined && held.messages > 0) await new Moderation(this.#parts, list).expire()
    if (incoming === undefined || incoming.messages === 0) return
    for (const uid of await store.uids(incoming)) {
      if (this.#isClosed) return
      const mail = await listMail(store, { mailbox: incoming, uid }, this.#parts.directory)
      if (mail === undefined) continue
      try {
        await this.#take(list, mail)
      } catch (thrown) {
        if (!needsControl(mail) || !isAway(thrown)) throw thrown
        // It waits for control; posts do not.
        this.#parts.log.warn('list.waiting', { list: id, cause: messageOf(thrown) })
      }
    }
  }

  async #take(list: MailingList, mail: ListMail): Promise<void> {
    switch (mail.envelope.purpose) {
      case 'post':
        return takePost(this.#parts, list, mail)
      case 'confirm':
        return takeAnswer(this.#parts, list, mail)
      case 'bounces':
        return takeBounce(this.#parts, list, mail)
      case 'join':
      case 'leave':
      case 'request':
        return takeCommand(this.#parts, list, mail)
      case 'owner':
        return forwardToOwners(this.#parts, list, mail)
    }
  }
}

/** Who joins and leaves stands in the directory, which is control's to change. */
const needsControl = ({ envelope: { purpose } }: ListMail): boolean =>
  purpose === 'join' || purpose === 'leave' || purpose === 'request' || purpose === 'confirm'

const isAway = (thrown: unknown): boolean =>
  isFault(thrown) && AWAY.some((code) => thrown.code === code)
const AWAY = ['unreachable', 'unavailable', 'timeout', 'closed', 'stalled'] as const
