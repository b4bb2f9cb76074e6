import { Fault, messageOf } from '#base/outcome.ts'
import { MINUTE_MS } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { MailingList } from '#model/list.ts'
import type { StoreChanged } from '#store/mailbox/mailbox-view.ts'

import { isTrouble, Trying } from './aside.ts'
import { takeBounce } from './bounces.ts'
import { takeCommand } from './command-work.ts'
import { takeAnswer } from './confirm.ts'
import { periodOf, sendDigest } from './digest.ts'
import { listMail } from './list-mail.ts'
import type { ListMail } from './list-mail.ts'
import type { ListParts } from './list-parts.ts'
import { ListStore } from './list-store.ts'
import type { ListPlace } from './list-store.ts'
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
  /** What has been tried of each list that had mail since the start. */
  readonly #trying = new Map<AccountId, Trying>()
  /** The day or week up to which digests have gone. */
  readonly #digested = new Map<AccountId, string>()
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
    await this.#digest(list)
    const { incoming, held } = await store.rows()
    if (held !== undefined && held.messages > 0) await new Moderation(this.#parts, list).expire()
    if (incoming === undefined || incoming.messages === 0) return
    const places = (await store.uids(incoming)).map((uid) => ({ mailbox: incoming, uid }))
    let trying = this.#trying.get(id)
    if (trying === undefined) {
      trying = await Trying.begin(this.#parts, list, places[0])
      this.#trying.set(id, trying)
    }
    for (const place of places) {
      if (this.#isClosed) return
      if (trying.mayTry(place)) await this.#try(list, store, place, trying)
    }
  }

  /** Asked of the store once a day and list: posts do not wait for it, nor for what is wrong with it. */
  async #digest(list: MailingList): Promise<void> {
    const period = periodOf(list, this.#parts.directory.moment.today)
    if (this.#digested.get(list.id) === period) return
    try {
      await sendDigest(this.#parts, list)
      this.#digested.set(list.id, period)
    } catch (thrown) {
      if (isTrouble(thrown)) throw thrown
      this.#parts.log.warn('list.digestFailed', { list: list.id, cause: messageOf(thrown) })
    }
  }

  /** What fails by itself holds up none behind it: it is tried again, and put aside in the end. */
  async #try(list: MailingList, store: ListStore, place: ListPlace, trying: Trying): Promise<void> {
    let mail: ListMail | undefined
    try {
      mail = await listMail(store, place, this.#parts.directory)
      if (mail !== undefined) await this.#take(list, mail)
      else if ((await store.meta(place)) !== undefined)
        throw new Fault('corrupt', 'nothing tells whom it is from and for')
      await trying.done(list, place)
    } catch (thrown) {
      if (!isTrouble(thrown)) return trying.failed(list, place, mail, thrown)
      if (mail === undefined || !needsControl(mail)) throw thrown
      // It waits for control; posts do not.
      this.#parts.log.warn('list.waiting', { list: list.id, cause: messageOf(thrown) })
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
