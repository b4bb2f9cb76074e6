import { answerTo, MailFailure } from './client.ts'
import type { Invocation, MailClient, SharedAccount } from './client.ts'
import { MAILBOX_PROPERTIES, QUOTA_PROPERTIES, ROW_PROPERTIES } from './nouns.ts'
import type { Mailbox, Person, Quota, Row } from './nouns.ts'
import type { Writes } from './writes.ts'

export interface Identity extends Person {
  readonly id: string
}

const QUOTA_GET: Invocation = ['Quota/get', { ids: null, properties: QUOTA_PROPERTIES }, 'quotas']
/** Changes that are fetched one by one; of more, what is known is read anew. */
const CHANGES_MAX = 500

/** What is known of the login's mail and of what others share with it, as the server told it last. */
export class Known {
  readonly rows = new Map<string, Row>()
  mailboxes: readonly Mailbox[] = []
  identities: readonly Identity[] = []
  /** Empty where the account may hold whatever it likes. */
  quotas: readonly Quota[] = []
  #shared: readonly SharedAccount[] = []
  /** Of emails, by account; one's own is ''. */
  readonly #states = new Map<string, string>()
  readonly #client: MailClient
  readonly #writes: Writes

  constructor(client: MailClient, writes: Writes) {
    this.#client = client
    this.#writes = writes
  }

  /** All that there is to begin with; rows come with the lists. */
  async load(): Promise<void> {
    this.#shared = await this.#client.sharedAccounts()
    const responses = await this.#client.request([
      ['Mailbox/get', { ids: null, properties: MAILBOX_PROPERTIES }, 'boxes'],
      QUOTA_GET,
      ...this.#sharedCalls(),
      ['Identity/get', { ids: null, properties: ['id', 'name', 'email'] }, 'identities'],
      ['Email/get', { ids: [], properties: ['id'] }, 'state'],
    ])
    this.#takeCounts(responses)
    this.identities = answerTo(responses, 'identities')['list'] as Identity[]
    this.#states.set('', answerTo(responses, 'state')['state'] as string)
    for (const { id } of this.#shared) await this.#takeChanges(responses, id)
  }

  /** What asks for all that has changed since. */
  calls(): readonly Invocation[] {
    return [
      ['Mailbox/get', { ids: null, properties: MAILBOX_PROPERTIES }, 'boxes'],
      QUOTA_GET,
      ['Email/changes', { sinceState: this.#states.get(''), maxChanges: CHANGES_MAX }, 'changes'],
      ...this.#sharedCalls(),
    ]
  }

  /** Takes the answers; true where rows are others now. */
  async take(responses: readonly Invocation[]): Promise<boolean> {
    this.#takeCounts(responses)
    let isChanged = await this.#takeChanges(responses)
    for (const { id } of this.#shared)
      isChanged = (await this.#takeChanges(responses, id)) || isChanged
    return isChanged
  }

  /** Whether accounts of others have come or gone; then they are known already. */
  async hasOtherAccounts(): Promise<boolean> {
    if (!this.#client.isSessionStale) return false
    this.#shared = await this.#client.sharedAccounts()
    return true
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

  #takeCounts(responses: readonly Invocation[]): void {
    const shared = this.#shared.flatMap((owner) => {
      const list = listOf(responses, `boxes ${owner.id}`)
      return list.map((mailbox) => ({ ...mailbox, owner }))
    })
    this.quotas = answerTo(responses, 'quotas')['list'] as Quota[]
    this.mailboxes = [...(answerTo(responses, 'boxes')['list'] as Mailbox[]), ...shared]
  }

  /** Of one account; true where rows are others now. */
  async #takeChanges(responses: readonly Invocation[], accountId?: string): Promise<boolean> {
    const whose = accountId === undefined ? {} : { accountId }
    const suffix = accountId === undefined ? '' : ` ${accountId}`
    const first = responses.find(([name, , id]) => id === `state${suffix}` && name !== 'error')
    if (first !== undefined) {
      this.#states.set(accountId ?? '', first[1]['state'] as string)
      return false
    }
    // What is shared no more is asked for no more.
    const gone = responses.find(([name, , id]) => id === `boxes${suffix}` && name === 'error')
    if (gone !== undefined && accountId !== undefined) {
      this.#states.delete(accountId)
      return false
    }
    const ask = (ids: readonly string[]) =>
      this.#writes.after(() =>
        this.#client.call('Email/get', { ...whose, ids, properties: ROW_PROPERTIES }),
      )
    let stale: readonly string[]
    let state: string
    try {
      const changes = answerTo(responses, `changes${suffix}`)
      state = changes['newState'] as string
      if (changes['hasMoreChanges'] === true) throw new MailFailure('refused')
      stale = (changes['updated'] as string[]).filter((id) => this.rows.has(id))
    } catch {
      stale = [...this.rows.values()]
        .filter((row) => row.accountId === accountId)
        .map(({ id }) => id)
      state = (await ask([]))['state'] as string
    }
    for (let at = 0; at < stale.length; at += 200)
      for (const row of (await ask(stale.slice(at, at + 200)))['list'] as Row[])
        this.rows.set(row.id, { ...row, accountId })
    this.#states.set(accountId ?? '', state)
    return stale.length > 0
  }
}

/** The mailboxes of an answer; none where the account is shared no more. */
function listOf(responses: readonly Invocation[], callId: string): readonly Mailbox[] {
  const found = responses.find(([name, , id]) => id === callId && name !== 'error')
  return (found?.[1]['list'] ?? []) as Mailbox[]
}
