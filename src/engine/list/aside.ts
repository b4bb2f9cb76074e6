import { isFault, messageOf } from '#base/outcome.ts'
import { oneLine } from '#base/text.ts'
import { SECOND_MS } from '#base/time.ts'
import type { MailingList } from '#model/list.ts'
import type { Uid } from '#model/mailbox.ts'

import { ASIDE, INCOMING } from './incoming.ts'
import { commitOfList, tellOfList } from './list-commit.ts'
import type { ListMail } from './list-mail.ts'
import { authorText, subjectOf } from './list-mail.ts'
import type { ListParts } from './list-parts.ts'
import { ListStore } from './list-store.ts'
import type { ListPlace } from './list-store.ts'

/** So often a mail is tried that fails by itself, and not before so long. */
const TRIES_MAX = 5
const TRY_AFTER_MS = 50 * SECOND_MS

/** A mail that could not be worked on: it is kept, and the rest goes on. */
export interface AsideMail {
  readonly number: number
  readonly purpose: string
  readonly shown: string
  readonly subject: string
  readonly cause: string
  readonly asideAtMs: number
}

export async function asideMails(store: ListStore): Promise<readonly AsideMail[]> {
  return [...(await store.objects('AsideMail')).values()].map(({ id, madeAtMs, value }) => ({
    ...(value as unknown as Omit<AsideMail, 'number' | 'asideAtMs'>),
    number: Number(id),
    asideAtMs: madeAtMs,
  }))
}

/** Whether it says nothing of the mail: storage, or control, is away or full. */
export const isTrouble = (thrown: unknown): boolean =>
  isFault(thrown) && TROUBLE.some((code) => thrown.code === code)
const TROUBLE = [
  'stalled',
  'full',
  'closed',
  'timeout',
  'locked',
  'unreachable',
  'unavailable',
] as const

interface Tried {
  readonly tries: number
  readonly atMs: number
}

/** How often mails of one list have been tried; kept with the list, so that a mail that ends the process counts, too. */
export class Trying {
  readonly #parts: ListParts
  readonly #known: Map<string, Tried>

  private constructor(parts: ListParts, known: Map<string, Tried>) {
    this.#parts = parts
    this.#known = known
  }

  /** At the start of a process: whatever is the first may have ended the one before. */
  static async begin(
    parts: ListParts,
    list: MailingList,
    first: ListPlace | undefined,
  ): Promise<Trying> {
    const kept = await new ListStore(parts.mailboxes, list.id).objects('ListTry')
    const trying = new Trying(
      parts,
      new Map([...kept].map(([id, { value }]) => [id, value as unknown as Tried])),
    )
    if (first !== undefined)
      await trying.#count(list, first, undefined, 'the process has ended while it lay here first')
    return trying
  }

  /** Whether it is its turn again. */
  mayTry({ uid }: ListPlace): boolean {
    const tried = this.#known.get(String(uid))
    return tried === undefined || this.#parts.clock.nowMs() - tried.atMs >= TRY_AFTER_MS
  }

  async failed(
    list: MailingList,
    place: ListPlace,
    mail: ListMail | undefined,
    thrown: unknown,
  ): Promise<void> {
    const cause = oneLine(messageOf(thrown), 300)
    this.#parts.log.warn('list.failed', { list: list.id, uid: place.uid, cause })
    await this.#count(list, place, mail, cause)
  }

  async done(list: MailingList, { uid }: ListPlace): Promise<void> {
    if (!this.#known.delete(String(uid))) return
    await commitOfList(this.#parts, list, {
      changes: [{ kind: 'forget', object: 'ListTry', id: String(uid) }],
    })
  }

  /** One commit: the count, or the mail's end here. */
  async #count(
    list: MailingList,
    place: ListPlace,
    mail: ListMail | undefined,
    cause: string,
  ): Promise<void> {
    const id = String(place.uid)
    const tries = (this.#known.get(id)?.tries ?? 0) + 1
    // What a start has counted is tried at once all the same.
    const atMs = mail === undefined && tries === 1 ? 0 : this.#parts.clock.nowMs()
    if (tries < TRIES_MAX) {
      const value = { tries, atMs }
      await commitOfList(this.#parts, list, {
        changes: [{ kind: 'keep', object: 'ListTry', id, value }],
      })
      this.#known.set(id, value)
      return
    }
    await this.#putAside(list, place, mail, cause)
    this.#known.delete(id)
  }

  async #putAside(
    list: MailingList,
    { mailbox, uid }: ListPlace,
    mail: ListMail | undefined,
    cause: string,
  ): Promise<void> {
    const store = new ListStore(this.#parts.mailboxes, list.id)
    const number = (await store.row(ASIDE))?.uidNext ?? 1
    await commitOfList(this.#parts, list, {
      changes: [
        { kind: 'move', from: mailbox.id, uids: [uid], to: { path: ASIDE, create: true } },
        {
          kind: 'keep',
          object: 'AsideMail',
          id: String(number),
          value: {
            purpose: mail?.envelope.purpose ?? '',
            shown: authorText(mail?.author),
            subject: mail === undefined ? '' : subjectOf(mail.meta),
            cause,
          },
        },
        { kind: 'forget', object: 'ListTry', id: String(uid) },
      ],
    })
    tellOfList(
      this.#parts,
      list,
      'list.aside',
      { number, cause, remedy: 'watari list posts LIST --aside' },
      mail?.envelope.deliveryId,
    )
  }
}

/** Takes mails from aside: back to where they are worked on, or away for good. False: there is no such mail. */
export async function settleAside(
  parts: ListParts,
  list: MailingList,
  number: number,
  { act, by }: { readonly act: 'retry' | 'drop'; readonly by: string },
): Promise<boolean> {
  const store = new ListStore(parts.mailboxes, list.id)
  const id = String(number)
  const mailbox = await store.row(ASIDE)
  const isThere = (await store.objects('AsideMail', [id])).has(id)
  if (mailbox === undefined || !isThere) return false
  const uids = [number as Uid]
  await commitOfList(parts, list, {
    changes: [
      act === 'retry'
        ? { kind: 'move', from: mailbox.id, uids, to: { path: INCOMING, create: true } }
        : { kind: 'expunge', mailboxId: mailbox.id, uids, deletedOnly: false },
      { kind: 'forget', object: 'AsideMail', id },
    ],
  })
  tellOfList(parts, list, act === 'retry' ? 'list.retried' : 'list.asideDropped', { number, by })
  return true
}
