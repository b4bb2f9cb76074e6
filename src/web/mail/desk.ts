import i18next from 'i18next'

import { answerTo, MailFailure } from './client.ts'
import type { Answer, Invocation, MailClient } from './client.ts'
import { keptBy, keywordsWith, patchOf } from './keywords.ts'
import { Known } from './known.ts'
import type { Identity } from './known.ts'
import { Listing } from './listing.ts'
import type { View } from './listing.ts'
import { Live } from './live.ts'
import { mailboxName } from './mailboxes.ts'
import { has } from './nouns.ts'
import type { Mailbox, MailboxRight, Quota, Row } from './nouns.ts'
import { Observed } from './observed.ts'
import { Telling } from './told.ts'
import { Writes } from './writes.ts'

/** All that the pages of one login share: mailboxes, rows, the list in view, and what is done with mail. */
export class Desk extends Observed {
  readonly client: MailClient
  readonly telling = new Telling()
  readonly #known: Known
  readonly #rows: Map<string, Row>
  readonly #live: Live
  #listing: Listing | undefined
  /** Chosen or open: they stay known wherever the list is scrolled to. */
  #pinned: ReadonlySet<string> = new Set()
  readonly #writes = new Writes()

  constructor(client: MailClient) {
    super()
    this.client = client
    this.#known = new Known(client, this.#writes)
    this.#rows = this.#known.rows
    this.#live = new Live(client, () => this.#sync())
  }

  /** Mailboxes and identities, and from then on all that changes. */
  async start(): Promise<void> {
    await this.#known.load()
    this.changed()
    this.#live.start()
  }

  /** The login is there again: the stream of changes begins anew. */
  resume(): void {
    this.#live.start()
    this.#listing?.refresh()
  }

  end(): void {
    this.#live.stop()
    this.#listing?.end()
  }

  /** The mail program is reachable as far as is known. */
  get isLive(): boolean {
    return this.#live.isLive
  }
  get live(): Observed {
    return this.#live
  }

  get mailboxes(): readonly Mailbox[] {
    return this.#known.mailboxes
  }
  get identities(): readonly Identity[] {
    return this.#known.identities
  }
  get quotas(): readonly Quota[] {
    return this.#known.quotas
  }
  byRole(role: string): Mailbox | undefined {
    return this.mailboxes.find((each) => each.role === role)
  }
  /** By id or by role, as the address has it. */
  mailbox(name: string): Mailbox | undefined {
    return this.byRole(name) ?? this.mailboxes.find(({ id }) => id === name)
  }
  /** Those of this login alone. */
  get own(): readonly Mailbox[] {
    return this.mailboxes.filter(({ owner }) => owner === undefined)
  }
  /** Whose an email is; undefined: one's own. */
  accountOf(id: string): { readonly accountId: string | undefined } {
    return { accountId: (this.#rows.get(id) ?? this.#listing?.view)?.accountId }
  }
  /** Whether an email may be so treated wherever it lies. */
  may(row: Row, right: MailboxRight): boolean {
    return this.mailboxes.every(
      ({ id, myRights }) => row.mailboxIds[id] !== true || myRights[right],
    )
  }
  row(id: string): Row | undefined {
    return this.#rows.get(id)
  }

  /** Takes a message that was read beside the lists. */
  learn(row: Row): void {
    if (!this.#rows.has(row.id)) this.#rows.set(row.id, row)
  }

  /** The list of a view; the one that is in view is kept. */
  listing(view: View): Listing {
    const before = this.#listing
    if (before !== undefined && JSON.stringify(before.view) === JSON.stringify(view)) return before
    before?.end()
    this.#listing = new Listing(
      {
        client: this.client,
        rows: this.#rows,
        writes: this.#writes,
        isPinned: (id) => this.#pinned.has(id),
      },
      view,
    )
    return this.#listing
  }
  pin(ids: readonly string[]): void {
    this.#pinned = new Set(ids)
  }

  /** Sets or takes a keyword at once, and says so only where it fails. */
  async mark(ids: readonly string[], keyword: string, isSet: boolean): Promise<void> {
    const wanted = this.#rowsOf(ids).filter((row) => has(row, keyword) !== isSet)
    const right = keyword === '$seen' ? 'maySetSeen' : 'maySetKeywords'
    const before = wanted.filter((row) => this.may(row, right))
    if (before.length === 0) return
    for (const row of before) this.#put(row.id, keywordsWith(row, { [keyword]: isSet }))
    this.#drawn()
    try {
      const value = isSet ? true : null
      await this.#set(
        before.map(({ id }) => id),
        () => ({ [`keywords/${keyword}`]: value }),
      )
    } catch (thrown) {
      for (const row of before) this.#put(row.id, { keywords: row.keywords })
      this.#drawn()
      this.#failed(thrown)
    }
  }

  /** Moves emails to a mailbox, at once; can be undone for ten seconds. */
  async move(
    ids: readonly string[],
    to: Mailbox,
    more: {
      readonly keywords?: Readonly<Record<string, boolean>>
      readonly said?: string
    } = {},
  ): Promise<void> {
    const all = this.#rowsOf(ids).filter(({ mailboxIds }) => mailboxIds[to.id] !== true)
    const across = all.filter(({ accountId }) => accountId !== to.owner?.id)
    if (across.length > 0) return this.#bring(across, to)
    const before = all
    if (before.length === 0) return
    const { keywords = {} } = more
    const moved = before.map(({ id }) => id)
    const back = this.#listing?.takeOut(moved)
    for (const row of before)
      this.#put(row.id, { ...keywordsWith(row, keywords), mailboxIds: { [to.id]: true } })
    const text =
      more.said ?? i18next.t('told.moved', { count: moved.length, box: mailboxName(i18next.t, to) })
    const putBack = (): void => {
      for (const row of before) this.#rows.set(row.id, row)
      back?.()
      this.changed()
    }
    const done = this.#set(moved, () => ({
      mailboxIds: { [to.id]: true },
      ...patchOf(keywords),
    }))
    this.telling.tell(text, {
      undo: () => {
        putBack()
        const undone = done.then(() =>
          this.#set(moved, (id) => {
            const row = before.find((each) => each.id === id)!
            return { mailboxIds: row.mailboxIds, keywords: row.keywords }
          }),
        )
        undone.catch((thrown: unknown) => this.#failed(thrown))
      },
    })
    this.changed()
    await done.catch((thrown: unknown) => {
      putBack()
      this.#failed(thrown)
    })
  }

  /** Copies emails into another account; they go where they were, if that may be. */
  async #bring(rows: readonly Row[], to: Mailbox): Promise<void> {
    const isMove = rows.every((row) => this.may(row, 'mayRemoveItems'))
    const ids = rows.map(({ id }) => id)
    const back = isMove ? this.#listing?.takeOut(ids) : undefined
    const calls = Array.from(
      Map.groupBy(rows, ({ accountId }) => accountId),
      ([from, list], at): Invocation => [
        'Email/copy',
        {
          accountId: to.owner?.id ?? this.client.accountId,
          fromAccountId: from ?? this.client.accountId,
          create: Object.fromEntries(
            list.map(({ id, keywords }) => [
              id,
              { id, mailboxIds: { [to.id]: true }, keywords: keptBy(to, keywords) },
            ]),
          ),
          onSuccessDestroyOriginal: isMove,
        },
        `copy ${at}`,
      ],
    )
    try {
      const answers = await this.#writes.run(
        // Once: asked again after a lost answer there would be two.
        () => this.client.once(calls),
        () => this.#live.wake(),
      )
      for (const [, , id] of calls) refuseAny(answerTo(answers, id), 'notCreated')
      const box = mailboxName(i18next.t, to)
      const word = isMove ? 'told.moved' : 'told.copied'
      this.telling.tell(i18next.t(word, { count: ids.length, box }))
    } catch (thrown) {
      back?.()
      this.#failed(thrown)
    }
  }

  /** Deletes emails for good. */
  async destroy(ids: readonly string[]): Promise<void> {
    const back = this.#listing?.takeOut(ids)
    try {
      const calls = this.#byAccount(ids, (list) => ({ destroy: list }))
      const answers = await this.#write(calls)
      for (const [, , id] of calls) refuseAny(answerTo(answers, id), 'notDestroyed')
      this.telling.tell(i18next.t('told.destroyed', { count: ids.length }))
    } catch (thrown) {
      back?.()
      this.#failed(thrown)
    }
  }

  /** Says that something did not work. */
  #failed(thrown: unknown): void {
    const kind = thrown instanceof MailFailure ? thrown.kind : 'refused'
    if (kind === 'expired') return
    const isForbidden = thrown instanceof MailFailure && thrown.message === 'forbidden'
    const key = kind === 'away' ? 'told.away' : isForbidden ? 'told.forbidden' : 'told.refused'
    this.telling.tell(i18next.t(key), { isTrouble: true })
  }

  async #set(
    ids: readonly string[],
    patch: (id: string) => Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const calls = this.#byAccount(ids, (list) => ({
      update: Object.fromEntries(list.map((id) => [id, patch(id)])),
    }))
    const answers = await this.#write(calls)
    for (const [, , id] of calls) refuseAny(answerTo(answers, id), 'notUpdated')
  }

  /** A change of emails for each account that they are of. */
  #byAccount(
    ids: readonly string[],
    args: (ids: readonly string[]) => Readonly<Record<string, unknown>>,
  ): readonly Invocation[] {
    const groups = Map.groupBy(ids, (id) => this.accountOf(id).accountId)
    return Array.from(groups, ([accountId, list], at): Invocation => [
      'Email/set',
      { ...(accountId !== undefined && { accountId }), ...args(list) },
      `set ${at}`,
    ])
  }

  #write(calls: readonly Invocation[]): Promise<readonly Invocation[]> {
    return this.#writes.run(
      () => this.client.request(calls),
      () => this.#live.wake(),
    )
  }

  #rowsOf(ids: readonly string[]): Row[] {
    return ids.flatMap((id) => this.#rows.get(id) ?? [])
  }
  #put(id: string, change: Partial<Row>): void {
    const row = this.#rows.get(id)
    if (row !== undefined) this.#rows.set(id, { ...row, ...change })
  }
  #drawn(): void {
    this.changed()
    this.#listing?.rowsChanged()
  }

  /** What has changed since the last time: counts, rows that are known, and the head of the list. */
  async #sync(): Promise<void> {
    const listing = this.#listing
    const responses = await this.#writes.after(() =>
      this.client.request([...this.#known.calls(), ...(listing?.headCalls() ?? [])]),
    )
    // In the same turn as it was answered: nothing of ours can come between.
    if (listing !== undefined && listing === this.#listing) takeHead(listing, responses)
    if (await this.#known.take(responses)) this.#listing?.rowsChanged()
    this.changed()
    if (await this.#known.hasOtherAccounts()) this.#live.wake()
  }
}

/** A list of what is shared no more tells it by itself. */
function takeHead(listing: Listing, responses: readonly Invocation[]): void {
  try {
    listing.takeHead(responses)
  } catch (thrown) {
    if (listing.view.accountId === undefined) throw thrown
    listing.again()
  }
}

/** Throws where something was refused, and not only gone already. */
function refuseAny(answer: Answer, list: string): void {
  const refused = Object.values((answer[list] ?? {}) as Record<string, { readonly type: string }>)
  const found = refused.find(({ type }) => type !== 'notFound')
  if (found !== undefined) throw new MailFailure('refused', found.type)
}
