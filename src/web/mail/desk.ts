import i18next from 'i18next'

import { answerTo, MailFailure } from './client.ts'
import type { Answer, Invocation, MailClient, SharedAccount } from './client.ts'
import { Listing } from './listing.ts'
import type { View } from './listing.ts'
import { Live } from './live.ts'
import { mailboxName } from './mailboxes.ts'
import { has, MAILBOX_PROPERTIES, QUOTA_PROPERTIES, ROW_PROPERTIES } from './nouns.ts'
import type { Mailbox, MailboxRight, Person, Quota, Row } from './nouns.ts'
import { Observed } from './observed.ts'
import { Telling } from './told.ts'
import { Writes } from './writes.ts'

export interface Identity extends Person {
  readonly id: string
}

const QUOTA_GET: Invocation = ['Quota/get', { ids: null, properties: QUOTA_PROPERTIES }, 'quotas']
/** Changes that are fetched one by one; of more, what is known is read anew. */
const CHANGES_MAX = 500

/** All that the pages of one login share: mailboxes, rows, the list in view, and what is done with mail. */
export class Desk extends Observed {
  readonly client: MailClient
  readonly telling = new Telling()
  readonly #rows = new Map<string, Row>()
  readonly #live: Live
  mailboxes: readonly Mailbox[] = []
  identities: readonly Identity[] = []
  /** Empty where the account may hold whatever it likes. */
  quotas: readonly Quota[] = []
  #shared: readonly SharedAccount[] = []
  /** Of emails, by account; one's own is ''. */
  readonly #states = new Map<string, string>()
  #listing: Listing | undefined
  /** Chosen or open: they stay known wherever the list is scrolled to. */
  #pinned: ReadonlySet<string> = new Set()
  readonly #writes = new Writes()

  constructor(client: MailClient) {
    super()
    this.client = client
    this.#live = new Live(client, () => this.#sync())
  }

  /** Mailboxes and identities, and from then on all that changes. */
  async start(): Promise<void> {
    this.#shared = await this.client.sharedAccounts()
    const responses = await this.client.request([
      ['Mailbox/get', { ids: null, properties: MAILBOX_PROPERTIES }, 'boxes'],
      QUOTA_GET,
      ...this.#sharedCalls(),
      ['Identity/get', { ids: null, properties: ['id', 'name', 'email'] }, 'identities'],
      ['Email/get', { ids: [], properties: ['id'] }, 'state'],
    ])
    this.#takeMailboxes(responses)
    this.quotas = answerTo(responses, 'quotas')['list'] as Quota[]
    this.identities = answerTo(responses, 'identities')['list'] as Identity[]
    this.#states.set('', answerTo(responses, 'state')['state'] as string)
    for (const { id } of this.#shared) await this.#takeChanges(responses, id)
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
      this.client.request([
        ['Mailbox/get', { ids: null, properties: MAILBOX_PROPERTIES }, 'boxes'],
        QUOTA_GET,
        ['Email/changes', { sinceState: this.#states.get(''), maxChanges: CHANGES_MAX }, 'changes'],
        ...this.#sharedCalls(),
        ...(listing?.headCalls() ?? []),
      ]),
    )
    // In the same turn as it was answered: nothing of ours can come between.
    if (listing !== undefined && listing === this.#listing) takeHead(listing, responses)
    this.#takeMailboxes(responses)
    this.quotas = answerTo(responses, 'quotas')['list'] as Quota[]
    await this.#takeChanges(responses)
    for (const { id } of this.#shared) await this.#takeChanges(responses, id)
    this.changed()
    if (this.client.isSessionStale) {
      // Accounts have come or gone.
      this.#shared = await this.client.sharedAccounts()
      this.#live.wake()
    }
  }

  /** What is asked of each account of others. */
  #sharedCalls(): readonly Invocation[] {
    return this.#shared.flatMap(({ id: accountId }): Invocation[] => {
      const sinceState = this.#states.get(accountId)
      return [
        [
          'Mailbox/get',
          { accountId, ids: null, properties: MAILBOX_PROPERTIES },
          `boxes ${accountId}`,
        ],
        sinceState === undefined
          ? ['Email/get', { accountId, ids: [], properties: ['id'] }, `state ${accountId}`]
          : [
              'Email/changes',
              { accountId, sinceState, maxChanges: CHANGES_MAX },
              `changes ${accountId}`,
            ],
      ]
    })
  }

  #takeMailboxes(responses: readonly Invocation[]): void {
    const shared = this.#shared.flatMap((owner) => {
      const list = listOf(responses, `boxes ${owner.id}`)
      return list.map((mailbox) => ({ ...mailbox, owner }))
    })
    this.mailboxes = [...(answerTo(responses, 'boxes')['list'] as Mailbox[]), ...shared]
  }

  async #takeChanges(responses: readonly Invocation[], accountId?: string): Promise<void> {
    const whose = accountId === undefined ? {} : { accountId }
    const suffix = accountId === undefined ? '' : ` ${accountId}`
    const first = responses.find(([name, , id]) => id === `state${suffix}` && name !== 'error')
    if (first !== undefined) {
      this.#states.set(accountId ?? '', first[1]['state'] as string)
      return
    }
    // What is shared no more is asked for no more.
    const gone = responses.find(([name, , id]) => id === `boxes${suffix}` && name === 'error')
    if (gone !== undefined && accountId !== undefined) return void this.#states.delete(accountId)
    const ask = (ids: readonly string[]) =>
      this.#writes.after(() =>
        this.client.call('Email/get', { ...whose, ids, properties: ROW_PROPERTIES }),
      )
    let stale: readonly string[]
    let state: string
    try {
      const changes = answerTo(responses, `changes${suffix}`)
      state = changes['newState'] as string
      if (changes['hasMoreChanges'] === true) throw new MailFailure('refused')
      stale = (changes['updated'] as string[]).filter((id) => this.#rows.has(id))
    } catch {
      stale = [...this.#rows.values()]
        .filter((row) => row.accountId === accountId)
        .map(({ id }) => id)
      state = (await ask([]))['state'] as string
    }
    for (let at = 0; at < stale.length; at += 200)
      for (const row of (await ask(stale.slice(at, at + 200)))['list'] as Row[])
        this.#rows.set(row.id, { ...row, accountId })
    this.#states.set(accountId ?? '', state)
    if (stale.length > 0) this.#listing?.rowsChanged()
  }
}

/** The mailboxes of an answer; none where the account is shared no more. */
function listOf(responses: readonly Invocation[], callId: string): readonly Mailbox[] {
  const found = responses.find(([name, , id]) => id === callId && name !== 'error')
  return (found?.[1]['list'] ?? []) as Mailbox[]
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

/** Keywords that may be set there. */
const keptBy = ({ myRights }: Mailbox, keywords: Row['keywords']): Row['keywords'] =>
  Object.fromEntries(
    Object.keys(keywords)
      .filter((name) => (name === '$seen' ? myRights.maySetSeen : myRights.maySetKeywords))
      .map((name) => [name, true as const]),
  )

const keywordsWith = (
  row: Row,
  change: Readonly<Record<string, boolean>>,
): { readonly keywords: Row['keywords'] } => {
  const names = new Set(Object.keys(row.keywords))
  for (const [name, isSet] of Object.entries(change))
    if (isSet) names.add(name)
    else names.delete(name)
  return { keywords: Object.fromEntries([...names].map((name) => [name, true as const])) }
}

const patchOf = (keywords: Readonly<Record<string, boolean>>): Record<string, true | null> =>
  Object.fromEntries(
    Object.entries(keywords).map(([name, isSet]) => [`keywords/${name}`, isSet ? true : null]),
  )
