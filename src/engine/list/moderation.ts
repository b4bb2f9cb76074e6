import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { DAY_MS } from '#base/time.ts'
import { formatAddress } from '#model/address.ts'
import type { MailingList } from '#model/list.ts'
import type { Uid } from '#model/mailbox.ts'
import type { OutboxEntry } from '#store/mailbox/commit.ts'

import { heldPosts } from './held-post.ts'
import { commitOfList, taken, tellOfList } from './list-commit.ts'
import { listMail, shownMail } from './list-mail.ts'
import type { ListMail } from './list-mail.ts'
import { HELD_DAYS } from './list-parts.ts'
import type { ListParts } from './list-parts.ts'
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

  /** Posts it as if it came now. */
  async approve(number: number, by: string): Promise<Outcome<void, ModerationRefusal>> {
    const mail = await this.#mail(number)
    if (mail === undefined) return err('notFound')
    const reach = this.#parts.reachOf(this.#list)
    await post(this.#parts, this.#list, mail, { approval: { by, number }, reach })
    return ok(undefined)
  }

  /** Ends it. Its author hears why, where it surely is the author. */
  async end(
    number: number,
    end: { readonly kind: 'rejected'; readonly text: string } | { readonly kind: 'expired' },
    by: string,
  ): Promise<Outcome<void, ModerationRefusal>> {
    const mail = await this.#mail(number)
    if (mail === undefined) return err('notFound')
    const { author, envelope } = mail
    const list = this.#list
    const words = authorWords(
      list,
      shownMail(mail),
      end.kind === 'expired' ? { kind: 'expired', days: HELD_DAYS } : end,
    )
    const notices: OutboxEntry[] =
      author?.standing !== 'proved'
        ? []
        : [noticeAbout(this.#parts, list, mail, end.kind, [author.address], words)]
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
  async withdraw(number: number, by: string): Promise<Outcome<void, ModerationRefusal>> {
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

  /** Who waits longer than HELD_DAYS waits no more. */
  async expire(): Promise<void> {
    const beforeMs = this.#parts.clock.nowMs() - HELD_DAYS * DAY_MS
    for (const { number, heldAtMs } of await heldPosts(this.#store))
      if (heldAtMs < beforeMs) await this.end(number, { kind: 'expired' }, 'watari')
  }

  async #mail(number: number): Promise<ListMail | undefined> {
    const { held } = await this.#store.rows()
    if (held === undefined) return undefined
    const isHeld = (await this.#store.objects('HeldPost', [String(number)])).size > 0
    if (!isHeld) return undefined
    const place = { mailbox: held, uid: number as Uid }
    return listMail(this.#store, place, this.#parts.directory)
  }
}

const authorOf = ({ author }: ListMail): string | null =>
  author === undefined ? null : formatAddress(author.address)
