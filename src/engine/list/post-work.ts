import { assertNever, Fault } from '#base/outcome.ts'
import { DAY_MS } from '#base/time.ts'
import { mainAddressOf } from '#model/account.ts'
import type { AccountId } from '#model/account.ts'
import { addressKey, domainKey, formatAddress, needsSmtpUtf8 } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { mayModerate, purposeAddress } from '#model/list.ts'
import type { MailingList } from '#model/list.ts'
import type { Uid } from '#model/mailbox.ts'
import type { AccountCommit, MailboxChange, OutboxEntry } from '#store/mailbox/commit.ts'
import type { MailboxRow } from '#store/mailbox/mailbox-view.ts'
import type { Content } from '#store/blob/blobs.ts'

import { attachmentsOf, withoutAttachments } from './attachments.ts'
import { decide } from './decide.ts'
import type { Decision, HoldReason } from './decide.ts'
import { listHeader } from './headers.ts'
import { HELD, POSTS } from './incoming.ts'
import { mark } from './list-key.ts'
import { authorText, shownMail, subjectOf } from './list-mail.ts'
import type { ListMail } from './list-mail.ts'
import { accountOfAddress, DUPLICATE_DAYS, HELD_DAYS } from './list-parts.ts'
import type { ListParts } from './list-parts.ts'
import { ListStore, nameOf } from './list-store.ts'
import { authorWords, confirmWords, heldWords, staleWords, unresolvedWords } from './notices.ts'
import { isMemberOf } from './membership.ts'
import { noticeEntry } from './notice-entry.ts'
import type { Reach } from './reach.ts'
import { suspendedOf } from './suspended.ts'

/** Held posts of one list that moderators are written to of one by one; of more they hear by the daily look. */
const NOTICES_WAITING_MAX = 50

/** Who has said that a held post is to go out. */
export interface Approval {
  readonly by: string
  readonly number: number
}

/** Makes of a mail to a list what its rules want: one commit, which also takes the mail away. */
export class PostWork {
  readonly #parts: ListParts
  readonly #list: MailingList
  readonly #store: ListStore

  constructor(parts: ListParts, list: MailingList) {
    this.#parts = parts
    this.#list = list
    this.#store = new ListStore(parts.mailboxes, list.id)
  }

  async take(mail: ListMail): Promise<void> {
    const reach = this.#parts.reachOf(this.#list)
    const decision = await this.#decide(mail, reach)
    switch (decision.kind) {
      case 'post':
        return this.post(mail, undefined, reach)
      case 'hold':
        return this.#hold(mail, decision.reason, reach)
      case 'refuse':
        return this.#refuse(mail, decision, reach)
      case 'drop':
        await this.#commit(mail, { changes: [taken(mail)] })
        this.#tell('list.dropped', mail, { reason: decision.reason })
        return
      default:
        return assertNever(decision)
    }
  }

  async #decide(mail: ListMail, reach: Reach): Promise<Decision> {
    const { directory } = this.#parts
    const { author, envelope, fields, meta } = mail
    const account = author && (author.accountId ?? accountOfAddress(directory, author.address))
    return decide({
      list: this.#list,
      envelope,
      fields,
      sizeBytes: meta.sizeBytes,
      hasAttachment: attachmentsOf(meta.root).length > 0,
      author,
      is: {
        member: author !== undefined && this.#isMember(author.address, account),
        ofDomain: account !== undefined,
        moderator:
          account !== undefined && mayModerate(this.#list, account, directory.moment.today),
      },
      isDuplicate: await this.#isDuplicate(mail),
      recipients: reach.each.length,
    })
  }

  #isMember(address: Address, accountId: AccountId | undefined): boolean {
    const { directory, clock } = this.#parts
    const account = accountId === undefined ? undefined : directory.account(accountId)
    return isMemberOf(this.#list.id, account ?? address, directory, clock.nowMs())
  }

  async #isDuplicate({ meta }: ListMail): Promise<boolean> {
    const { messageId } = meta.envelope
    if (messageId === undefined) return false
    const id = nameOf(messageId)
    const seen = (await this.#store.objects('SeenId', [id])).get(id)
    return seen !== undefined && this.#parts.clock.nowMs() - seen.madeAtMs < DUPLICATE_DAYS * DAY_MS
  }

  /** Posts it: archive, number, and what goes out to members, in the commit that takes it from where it lay. */
  async post(mail: ListMail, approval?: Approval, known?: Reach): Promise<void> {
    const { clock, demands, pages } = this.#parts
    const list = this.#list
    const store = this.#store
    const reach = known ?? this.#parts.reachOf(list)
    const nowMs = clock.nowMs()
    const { posts } = await store.rows()
    const number = Math.max(posts?.uidNext ?? 1, list.numberFrom ?? 1)
    const author = mail.author ?? { address: purposeAddress(list.address, 'owner') }
    const suspended = await suspendedOf(store)
    const recipients = reach.each.filter((each) => !suspended.has(addressKey(each)))
    const isFromList =
      recipients.some(({ domain }) => this.#parts.directory.domain(domain) === undefined) &&
      !isAligned(author.address.domain, list.address.domain) &&
      (await demands.of(author.address.domain)) !== 'lax'
    const url = pages()
    const header = listHeader(mail.header, list, {
      number,
      author,
      isFromList,
      ...(url !== undefined && { pages: url }),
    })
    const { key, changes: keyChanges } = await store.key()
    const entry: OutboxEntry | undefined =
      recipients.length === 0
        ? undefined
        : {
            id: `${mail.envelope.deliveryId}-${nameOf(list.id).slice(0, 16)}`,
            kind: 'post',
            reversePath: purposeAddress(list.address, 'bounces'),
            recipients,
            body: mail.envelope.body,
            smtpUtf8: mail.envelope.smtpUtf8 || needsSmtpUtf8(list.address),
            verp: { key, post: number },
            ...(list.withdrawSeconds !== undefined && {
              releaseAtMs: nowMs + list.withdrawSeconds * 1_000,
            }),
            content: 0,
          }
    const keptRecipients = await this.#recipients(recipients)
    const content = await this.#content(mail, header)
    const told = await this.#reachNotices(mail, reach)
    await this.#commit(
      mail,
      {
        changes: [
          ...keyChanges,
          // Nothing is kept of a list without an archive, but the last one's number.
          ...(list.archive === 'none' && posts !== undefined
            ? [{ kind: 'expunge', mailboxId: posts.id, uids: 'all', deletedOnly: false } as const]
            : []),
          {
            kind: 'append',
            mailbox: { path: POSTS, create: true },
            content: 0,
            flags: 0,
            keywords: [],
            internalDateMs: nowMs,
            assigned: { uid: number as Uid },
          },
          ...keptRecipients.changes,
          {
            kind: 'keep',
            object: 'Post',
            id: String(number),
            value: {
              messageId: mail.meta.envelope.messageId ?? null,
              author: formatAddress(author.address),
              shown: authorText(mail.author),
              subject: subjectOf(mail.meta),
              recipients: recipients.length,
              set: keptRecipients.id,
              postedAtMs: nowMs,
              entry: entry?.id ?? null,
              ...(approval !== undefined && { approvedBy: approval.by }),
              ...(suspended.size > 0 && { suspended: reach.each.length - recipients.length }),
            },
            ...(entry !== undefined && { entry: entry.id }),
          },
          ...this.#seen(mail, number),
          ...(approval === undefined
            ? []
            : [{ kind: 'forget', object: 'HeldPost', id: String(approval.number) } as const]),
          ...told.changes,
          ...retained(list, posts),
          taken(mail),
        ],
        outbox: [...(entry === undefined ? [] : [entry]), ...told.outbox],
      },
      content,
    )
    this.#tell('list.posted', mail, {
      number,
      recipients: recipients.length,
      approvedBy: approval?.by ?? null,
    })
  }

  /** The message with its new header; the octets of its body as they came, unless the list removes attachments. */
  async #content(
    { meta, prefixBytes, place, header }: ListMail,
    made: Uint8Array,
  ): Promise<Content> {
    const from = header.byteLength
    const end = meta.sizeBytes
    const pieces =
      this.#list.attachments === 'remove' ? withoutAttachments(meta.root, from, end) : undefined
    const kept = pieces ?? [{ offset: from, length: end - from }]
    return this.#store.copied(
      made,
      place,
      kept.map((piece) =>
        piece instanceof Uint8Array ? piece : { ...piece, offset: piece.offset + prefixBytes },
      ),
    )
  }

  /** Who received it, once for as long as it is the same people. */
  async #recipients(
    recipients: readonly Address[],
  ): Promise<{ readonly id: string; readonly changes: readonly MailboxChange[] }> {
    const addresses = recipients.map(formatAddress).toSorted()
    const id = nameOf(addresses.join('\n'))
    const isKept = (await this.#store.objects('Recipients', [id])).has(id)
    const value = { addresses: addresses.join('\n') }
    return { id, changes: isKept ? [] : [{ kind: 'keep', object: 'Recipients', id, value }] }
  }

  #seen({ meta }: ListMail, number: number): MailboxChange[] {
    const { messageId } = meta.envelope
    if (messageId === undefined) return []
    return [{ kind: 'keep', object: 'SeenId', id: nameOf(messageId), value: { number } }]
  }

  async #hold(mail: ListMail, reason: HoldReason, reach: Reach): Promise<void> {
    const list = this.#list
    const { held } = await this.#store.rows()
    const number = held?.uidNext ?? 1
    const { key, changes } = await this.#store.key()
    const { author, meta } = mail
    const shown = shownMail(mail)
    const address = (what: 'a' | 'r' | 'c'): Address => answerAddress(list, key, what, number)
    const isAuthors = reason === 'tooMany' && author?.standing === 'proved'
    const notices: OutboxEntry[] = []
    if (isAuthors)
      notices.push(
        this.#notice(mail, 'confirm', [author.address], {
          ...confirmWords(list, shown, {
            count: reach.each.length,
            confirm: address('c'),
            days: HELD_DAYS,
          }),
          replyTo: address('c'),
        }),
      )
    else {
      if ((held?.messages ?? 0) < NOTICES_WAITING_MAX)
        notices.push(
          this.#notice(mail, 'held', this.#moderators(), {
            ...heldWords(list, shown, {
              number,
              reason,
              days: HELD_DAYS,
              approve: address('a'),
              reject: address('r'),
            }),
          }),
        )
      if (author?.standing === 'proved' && mail.envelope.reversePath !== null)
        notices.push(
          this.#notice(
            mail,
            'waits',
            [author.address],
            authorWords(list, shown, { kind: 'waits', reason }),
          ),
        )
    }
    await this.#commit(mail, {
      changes: [
        ...changes,
        {
          kind: 'move',
          from: mail.place.mailbox.id,
          uids: [mail.place.uid],
          to: { path: HELD, create: true },
        },
        {
          kind: 'keep',
          object: 'HeldPost',
          id: String(number),
          value: {
            reason,
            author: author === undefined ? null : formatAddress(author.address),
            shown: authorText(author),
            standing: author?.standing ?? 'failed',
            subject: subjectOf(meta),
            messageId: meta.envelope.messageId ?? null,
            sizeBytes: meta.sizeBytes,
            by: isAuthors ? 'author' : 'moderator',
          },
        },
        ...this.#seen(mail, 0),
      ],
      outbox: notices.filter(({ recipients }) => recipients.length > 0),
    })
    this.#tell('list.held', mail, { number, reason })
  }

  /** Only who surely is its author is told; of anybody else a moderator hears instead. */
  async #refuse(
    mail: ListMail,
    { reason }: Extract<Decision, { kind: 'refuse' }>,
    reach: Reach,
  ): Promise<void> {
    const { author } = mail
    if (author?.standing !== 'proved') {
      if (reason === 'notAllowed') return this.#hold(mail, reason, reach)
      await this.#commit(mail, { changes: [taken(mail)] })
    } else {
      const words = authorWords(this.#list, shownMail(mail), { kind: 'refused', reason })
      await this.#commit(mail, {
        changes: [taken(mail)],
        outbox: [this.#notice(mail, 'refused', [author.address], words)],
      })
    }
    this.#tell('list.refused', mail, { reason })
  }

  /** Owners hear once a day of members who lead to nobody, and of what is known from long ago. */
  async #reachNotices(
    mail: ListMail,
    reach: Reach,
  ): Promise<{
    readonly outbox: readonly OutboxEntry[]
    readonly changes: readonly MailboxChange[]
  }> {
    const list = this.#list
    const owners = this.#addressesOf(list.owners)
    const told = [
      { what: 'unresolved', about: reach.unresolved, words: unresolvedWords },
      { what: 'stale', about: reach.stale, words: staleWords },
    ].filter(({ about }) => about.length > 0 && owners.length > 0)
    const idOf = (what: string): string => `${what} ${this.#parts.directory.moment.today}`
    const known = await this.#store.objects(
      'SeenId',
      told.map(({ what }) => idOf(what)),
    )
    const fresh = told.filter(({ what }) => !known.has(idOf(what)))
    return {
      outbox: fresh.map(({ what, about, words }) =>
        this.#notice(mail, what, owners, words(list, about)),
      ),
      changes: fresh.map(({ what }) => ({
        kind: 'keep' as const,
        object: 'SeenId' as const,
        id: idOf(what),
        value: {},
      })),
    }
  }

  #moderators(): Address[] {
    const { directory } = this.#parts
    const { today } = directory.moment
    const deputies = this.#list.moderators
      .filter(({ account }) => mayModerate(this.#list, account, today))
      .map(({ account }) => account)
    const found = this.#addressesOf(deputies)
    return found.length > 0 ? found : this.#addressesOf(this.#list.owners)
  }

  #addressesOf(accounts: readonly AccountId[]): Address[] {
    return accounts.flatMap((id) => {
      const account = this.#parts.directory.account(id)
      return account === undefined || account.disabled ? [] : [mainAddressOf(account)]
    })
  }

  #notice(
    { envelope, meta }: ListMail,
    what: string,
    recipients: readonly Address[],
    words: Parameters<typeof noticeEntry>[1]['words'],
  ): OutboxEntry {
    const { clock, newId } = this.#parts
    const about = meta.envelope.messageId?.replace(/^<|>$/g, '')
    return noticeEntry(this.#list, {
      id: `${envelope.deliveryId}-${nameOf(`${this.#list.id} ${what}`).slice(0, 16)}`,
      recipients,
      words: { ...words, ...(about !== undefined && isMessageId(about) && { about }) },
      nowMs: clock.nowMs(),
      newId,
    })
  }

  async #commit(
    { place }: ListMail,
    commit: Omit<AccountCommit, 'accountId'>,
    content?: Content,
  ): Promise<void> {
    const { results } = await this.#parts.mailboxes.commit({
      contents: content === undefined ? [] : [content],
      commits: [{ ...commit, accountId: this.#list.id }],
    })
    const [result] = results
    if (result?.kind === 'refused')
      throw new Fault(
        'conflict',
        `${place.mailbox.path.join('/')}/${place.uid}: ${result.refusal.text}`,
      )
    if ((commit.outbox ?? []).length > 0) this.#parts.filed()
  }

  #tell(
    name: string,
    { envelope, author, meta }: ListMail,
    fields: Readonly<Record<string, string | number | null>>,
  ): void {
    this.#parts.events.emit({
      atMs: this.#parts.clock.nowMs(),
      name,
      deliveryId: envelope.deliveryId,
      fields: {
        list: formatAddress(this.#list.address),
        author: author === undefined ? null : formatAddress(author.address),
        messageId: meta.envelope.messageId ?? null,
        ...fields,
      },
    })
  }
}

/** Where an answer goes that decides about a held post: a: approved, r: rejected, c: confirmed by its author. */
const answerAddress = (
  list: MailingList,
  key: string,
  what: 'a' | 'r' | 'c',
  number: number,
): Address => {
  const { localpart, domain } = purposeAddress(list.address, 'confirm')
  return { localpart: `${localpart}+${what}-${number}-${mark(key, what, number)}`, domain }
}

/** Takes a mail from where it lay. */
const taken = ({ place }: ListMail): MailboxChange => ({
  kind: 'expunge',
  mailboxId: place.mailbox.id,
  uids: [place.uid],
  deletedOnly: false,
})

/** The days that the archive keeps, where its mailbox has others. */
function retained(list: MailingList, posts: MailboxRow | undefined): MailboxChange[] {
  const retention = list.retainDays ?? 'inherit'
  return posts === undefined || posts.retention === retention
    ? []
    : [{ kind: 'retain', mailboxId: posts.id, retention }]
}

/** SPF of the list's own domain speaks for the author's then (RFC 9989 §4.4, relaxed). */
function isAligned(author: string, list: string): boolean {
  const [a, b] = [domainKey(author), domainKey(list)]
  return a === b || a.endsWith(`.${b}`) || b.endsWith(`.${a}`)
}

const isMessageId = (text: string): boolean =>
  /^[\u0021-\u003b\u003d\u003f-\u007e]{1,250}$/.test(text)
