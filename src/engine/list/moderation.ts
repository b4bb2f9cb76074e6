import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { DAY_MS, SECOND_MS } from '#base/time.ts'
import { formatAddress } from '#model/address.ts'
import type { MailingList } from '#model/list.ts'
import type { Uid } from '#model/mailbox.ts'
import type { OutboxEntry } from '#store/mailbox/commit.ts'
import type { KeptObject } from '#store/mailbox/kept-object.ts'

import { heldPost, heldPosts } from './held-post.ts'
import type { Ending, HeldEnd, HeldLetter } from './held-post.ts'
import { letterOf } from './letter.ts'
import { commitOfList, taken, tellOfList } from './list-commit.ts'
import { listMail, shownMail } from './list-mail.ts'
import type { ListMail } from './list-mail.ts'
import { HELD_DAYS } from './list-parts.ts'
import type { ListParts } from './list-parts.ts'
import { authorBox } from './list-people.ts'
import { ListStore } from './list-store.ts'
import { noticeAbout } from './notice-entry.ts'
import { authorWords } from './notices.ts'
import { post } from './posting.ts'

/** What a decision was refused for. */
export type ModerationRefusal = 'notFound' | 'conflict'

/** Decides about what waits; in the turn of the list. */
export class Moderation {
  readonly #parts: ListParts
  readonly #list: MailingList
  readonly #store: ListStore

  constructor(parts: ListParts, list: MailingList) {
    this.#parts = parts
    this.#list = list
    this.#store = new ListStore(parts.mailboxes, list.id)
  }

  /** What it says. Who reads what was not written to them is told by an event. */
  async read(number: number, by: string): Promise<Outcome<HeldLetter, 'notFound'>> {
    const kept = await this.#kept(number)
    const mail = await this.#mail(number)
    if (kept === undefined || mail === undefined) return err('notFound')
    const { verdict, deliveryId } = mail.envelope
    const letter = await letterOf(this.#store, mail.place, mail)
    const about = { number, by, author: authorOf(mail) }
    tellOfList(this.#parts, this.#list, 'list.read', about, deliveryId)
    return ok({ held: heldPost(kept), letter, ...(verdict !== undefined && { verdict }) })
  }

  /** Posts it as if it came now; tells the number. */
  async approve(number: number, by: string): Promise<Outcome<number, ModerationRefusal>> {
    const mail = await this.#mail(number)
    if (mail === undefined) return err('notFound')
    const reach = await this.#parts.reachOf(this.#list)
    return ok(await post(this.#parts, this.#list, mail, { approval: { by, number }, reach }))
  }

  /** Ends it after a while, in which `restore` takes that back. */
  async endLater(
    number: number,
    end: Ending['end'],
    { by, seconds }: { readonly by: string; readonly seconds: number },
  ): Promise<Outcome<undefined, ModerationRefusal>> {
    const atMs = this.#parts.clock.nowMs() + seconds * SECOND_MS
    const done = await this.#keep(number, { end, by, atMs })
    if (done.ok)
      tellOfList(this.#parts, this.#list, 'list.deciding', { number, by, end: end.kind, atMs })
    return done
  }

  /** As if nobody had decided. */
  async restore(number: number, by: string): Promise<Outcome<undefined, ModerationRefusal>> {
    if ((await this.#kept(number))?.value['ending'] === undefined) return err('notFound')
    const done = await this.#keep(number, undefined)
    if (done.ok) tellOfList(this.#parts, this.#list, 'list.restored', { number, by })
    return done
  }

  /** Ends it. Its author hears why, where it surely is the author. */
  async end(
    number: number,
    end: HeldEnd,
    by: string,
  ): Promise<Outcome<undefined, ModerationRefusal>> {
    const mail = await this.#mail(number)
    if (mail === undefined) return err('notFound')
    const { author, envelope } = mail
    const list = this.#list
    const notices: OutboxEntry[] = []
    if (author?.standing === 'proved' && end.kind !== 'discarded') {
      const why = end.kind === 'expired' ? ({ kind: 'expired', days: HELD_DAYS } as const) : end
      const words = authorWords(list, shownMail(mail), why)
      notices.push(
        noticeAbout(
          this.#parts,
          list,
          mail,
          end.kind,
          [authorBox(this.#parts.directory, author)],
          words,
        ),
      )
    }
    await commitOfList(this.#parts, list, {
      changes: [taken(mail), { kind: 'forget', object: 'HeldPost', id: String(number) }],
      outbox: notices,
    })
    tellOfList(
      this.#parts,
      list,
      `list.${end.kind}`,
      { number, by, author: authorOf(mail) },
      envelope.deliveryId,
    )
    return ok(undefined)
  }

  /** Takes back a post that has not gone out yet; it leaves the archive, and its number stays used. */
  async withdraw(number: number, by: string): Promise<Outcome<undefined, ModerationRefusal>> {
    const id = String(number)
    const kept = (await this.#store.objects('Post', [id])).get(id)
    const { posts } = await this.#store.rows()
    const entry = kept?.value['entry']
    if (kept === undefined || posts === undefined) return err('notFound')
    if (typeof entry !== 'string' || !kept.waits) return err('conflict')
    const { results } = await this.#parts.mailboxes.commit({
      contents: [],
      commits: [
        {
          accountId: this.#list.id,
          changes: [
            { kind: 'withdraw', entry },
            {
              kind: 'keep',
              object: 'Post',
              id,
              value: { ...kept.value, withdrawnBy: by, withdrawnAtMs: this.#parts.clock.nowMs() },
            },
            { kind: 'expunge', mailboxId: posts.id, uids: [number as Uid], deletedOnly: false },
          ],
        },
      ],
    })
    if (results[0]?.kind !== 'committed') return err('conflict')
    tellOfList(this.#parts, this.#list, 'list.withdrawn', { number, by })
    return ok(undefined)
  }

  /** Ends what has been decided about for long enough, and what waits longer than HELD_DAYS. */
  async expire(): Promise<void> {
    const nowMs = this.#parts.clock.nowMs()
    for (const { number, heldAtMs, ending } of await heldPosts(this.#store))
      if (ending !== undefined) {
        if (ending.atMs <= nowMs) await this.end(number, ending.end, ending.by)
      } else if (heldAtMs < nowMs - HELD_DAYS * DAY_MS)
        await this.end(number, { kind: 'expired' }, 'watari')
  }

  async #kept(number: number): Promise<KeptObject | undefined> {
    const id = String(number)
    return (await this.#store.objects('HeldPost', [id])).get(id)
  }

  async #keep(
    number: number,
    ending: Ending | undefined,
  ): Promise<Outcome<undefined, ModerationRefusal>> {
    const kept = await this.#kept(number)
    if (kept === undefined) return err('notFound')
    const { ending: _, ...rest } = kept.value
    const { heldAtMs } = heldPost(kept)
    const value = { ...rest, heldAtMs, ...(ending !== undefined && { ending }) }
    await commitOfList(this.#parts, this.#list, {
      changes: [{ kind: 'keep', object: 'HeldPost', id: String(number), value }],
    })
    return ok(undefined)
  }

  async #mail(number: number): Promise<ListMail | undefined> {
    const { held } = await this.#store.rows()
    if (held === undefined) return undefined
    if ((await this.#kept(number)) === undefined) return undefined
    const place = { mailbox: held, uid: number as Uid }
    return listMail(this.#store, place, this.#parts.directory)
  }
}

const authorOf = ({ author }: ListMail): string | null =>
  author === undefined ? null : formatAddress(author.address)
